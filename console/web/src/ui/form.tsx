// A form that fills a page: what is asked on one side, what will happen and the
// button on the other.
import type { ComponentChildren } from 'preact';
import { useRef, useState } from 'preact/hooks';
import { Problem, requestKey, send } from '../api/http';
import type { Outcome } from '../api/types';
import { common } from '../i18n/common';
import { valuesOf } from './fields';
import { Panel } from './parts';
import { ProblemBox } from './problem';

interface FormProps {
  children: ComponentChildren;
  will: ComponentChildren[];
  action: string;
  back: string;
  reason?: ComponentChildren;
  run: (values: Record<string, string>, key: string) => Promise<unknown>;
}

// replace puts settings in the place of those of a version that was read. Where
// somebody else changed them meanwhile it is refused and the form says so: who
// saves again means whatever is there.
export async function replace(url: string, settings: unknown, key: string, edited: { current?: number | '*' }): Promise<Outcome> {
  try {
    return await send<Outcome>('PUT', url, settings, { key, version: edited.current });
  } catch (error) {
    if (error instanceof Problem && error.status === 412) edited.current = '*';
    throw error;
  }
}

export function Form({ children, will, action, back, reason, run }: FormProps) {
  const key = useRef(requestKey());
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    setBusy(true);
    setProblem(undefined);
    try {
      await run(valuesOf(event.target as HTMLFormElement), key.current);
    } catch (error) {
      setProblem(error as Problem);
      if ((error as Problem).code !== 'unreachable') key.current = requestKey();
      setBusy(false);
    }
  };
  return (
    <form class="split" onSubmit={submit}>
      <div>{children}</div>
      <div class="beside">
        <Panel title={common.will()}>
          <ul class="will">{will.map((w, i) => w && <li key={i}>{w}</li>)}</ul>
          {reason}
          {problem && <ProblemBox problem={problem} />}
          {problem?.status === 412 && <div class="notice"><span>{common.stale()} <a href={back} target="_blank">{common.staleShow()}</a></span></div>}
          <div class="buttons">
            <a class="button" href={back}>{common.back()}</a>
            <button type="submit" class="primary" disabled={busy}>{action}</button>
          </div>
        </Panel>
      </div>
    </form>
  );
}
