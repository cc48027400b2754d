// Dialogs: the browser's own, which holds the focus and closes by Escape.
import { signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { Problem, requestKey } from '../api/http';
import { place } from '../base/place';
import { common } from '../i18n/common';
import { Area, valuesOf } from './fields';
import { Icon } from './icons';
import { ProblemBox } from './problem';

const open = signal<ComponentChildren>(null);

export const show = (dialog: ComponentChildren) => (open.value = dialog);
export const close = () => (open.value = null);

export const DialogHost = () => <>{open.value}</>;

export function Dialog({ title, children, wide }: { title: string; children: ComponentChildren; wide?: boolean }) {
  const ref = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const dialog = ref.current!;
    const before = document.activeElement as HTMLElement | null;
    dialog.showModal();
    dialog.querySelector<HTMLElement>('form :is(input, select, textarea)')?.focus();
    return () => before?.focus?.();
  }, []);
  const { path } = place.value;
  const opened = useRef(path);
  useEffect(() => {
    if (path !== opened.current) close(); // a link in it was followed
  }, [path]);
  return (
    <dialog ref={ref} class={wide ? 'wide' : ''} aria-labelledby="dialog-title" onClose={close} onClick={(e) => e.target === ref.current && close()}>
      <div class="dialog">
        <header>
          <h2 id="dialog-title">{title}</h2>
          <button type="button" class="plain" aria-label={common.cancel()} onClick={close}><Icon name="close" /></button>
        </header>
        {children}
      </div>
    </dialog>
  );
}

export interface Confirmation {
  title: string;
  say: ComponentChildren; // what will happen, and to how many
  count?: () => Promise<number>; // asked first: of a dry run, or of what is shown
  counted?: (n: number) => ComponentChildren;
  action: string; // the button's words
  danger?: boolean;
  reason?: boolean; // true where the API takes one
  fields?: ComponentChildren; // beside the reason
  run: (values: Record<string, string>, key: string) => Promise<unknown>;
}

// ask shows what is to be done, and does it when it is confirmed.
export const ask = (c: Confirmation) => show(<Confirm {...c} />);

function Confirm(c: Confirmation) {
  const key = useRef(requestKey());
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  const [count, setCount] = useState<number>();
  useEffect(() => {
    c.count?.().then(setCount, setProblem);
  }, []);
  const counting = c.count !== undefined && count === undefined;
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    setBusy(true);
    setProblem(undefined);
    try {
      await c.run(valuesOf(event.target as HTMLFormElement), key.current);
      close();
    } catch (error) {
      setProblem(error as Problem);
      if ((error as Problem).code !== 'unreachable') key.current = requestKey(); // it was answered: what is sent next is another request
    }
    setBusy(false);
  };
  return (
    <Dialog title={c.title}>
      <form onSubmit={submit}>
        <div class="say">{c.say}</div>
        {c.counted && <div class="count" aria-live="polite">{counting ? <span class="skeleton" /> : count !== undefined && c.counted(count)}</div>}
        {c.fields}
        {c.reason && <Area label={common.reason()} name="reason" required help={common.reasonHelp()} maxLength={2000} rows={2} />}
        {problem && <ProblemBox problem={problem} />}
        <footer>
          <button type="button" onClick={close}>{common.cancel()}</button>
          <button type="submit" class={c.danger ? 'danger' : 'primary'} disabled={busy || counting || count === 0}>{c.action}</button>
        </footer>
      </form>
    </Dialog>
  );
}
