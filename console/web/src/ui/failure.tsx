// What went wrong with a document, in the reader's language: where the API's
// detail is not, the meaning of its code stands before it.
import { meaningOf } from '../i18n/failures';

interface Cause {
  code?: string;
  detail?: string;
}

export function Told({ of: { code, detail } }: { of: Cause }) {
  const meaning = meaningOf(code);
  if (!meaning) return <>{detail}</>;
  return <>{meaning}{detail && <span class="technical" lang="en">{detail}</span>}</>;
}

// Brief is one line of it, with the whole as its title.
export function Brief({ of: { code, detail } }: { of: Cause }) {
  const meaning = meaningOf(code);
  return <span class="faint clip" title={detail} lang={meaning ? undefined : 'en'}>{meaning ?? detail}</span>;
}
