// What a check of the connection found, step by step, in plain words.
import type { CheckEntry, SourceReport } from '../../api/types';
import { language } from '../../base/preferences';
import { check as words, checkZh, stepWord } from '../../i18n/sources';
import { Panel } from '../../ui/parts';
import { Status } from '../../ui/status';
import { Time } from '../../ui/time';

export interface Checked {
  report: SourceReport;
  at: string;
}

export function CheckResult({ of: { report, at }, again }: { of: Checked; again: () => void }) {
  return (
    <Panel title={words.title()} aside={<button type="button" onClick={again}>{words.again()}</button>}>
      <p class="line" role="status"><Status of={report.works ? 'ok' : 'failed'} word={report.works ? words.works() : words.fails()} /><span class="faint small">{words.at()} <Time at={at} /></span></p>
      <ol class="steps">{report.checks.map((c) => <Step key={`${c.step}${c.target}`} of={c} />)}</ol>
      {!report.works && <p class="faint small">{words.notReached()}</p>}
    </Panel>
  );
}

// Details of these name what is missing, which no translation can.
const telling = ['secret-missing', 'fields-missing'];

function Step({ of: c }: { of: CheckEntry }) {
  const zh = language.value === 'zh' ? checkZh[c.code] : undefined;
  return (
    <li class={c.status}>
      <span class="name"><b>{stepWord(c.step)}</b>{c.target && <small class="faint">{c.target === 'token' ? words.token() : words.data()}</small>}</span>
      <Status of={c.status} />
      <div>
        <p>{zh ? zh[0] : c.detail}</p>
        {zh && telling.includes(c.code) && <p class="faint small">{c.detail}</p>}
        {c.remedy && <p class="remedy">{zh ? zh[1] : c.remedy}</p>}
      </div>
    </li>
  );
}
