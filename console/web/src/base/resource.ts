// What a page shows of the API: read when it is first shown, read again after
// a command, when something live says so, and when somebody asks.
import { useEffect, useRef, useState } from 'preact/hooks';
import { changed, get, Problem } from '../api/http';
import { onLive, type LiveFilter } from './live';

export interface Resource<T> {
  data?: T;
  problem?: Problem;
  loading: boolean;
  reload(): void;
  patch(change: (data: T) => T): void;
}

export interface Reading {
  live?: LiveFilter; // read again when such a thing changed
  after?: boolean; // false: the route does not take a position
}

// Reads that follow live events come no closer than this.
const calm = 4000;

const withPosition = (url: string, position: string) =>
  position === '' ? url : `${url}${url.includes('?') ? '&' : '?'}after=${encodeURIComponent(position)}`;

// useResource reads a URL; null reads nothing.
export function useResource<T>(url: string | null, reading: Reading = {}): Resource<T> {
  const [state, setState] = useState<{ of: string | null; data?: T; problem?: Problem; loading: boolean }>({ of: null, loading: url !== null });
  // A page that a command led to shows what the command did.
  const [round, setRound] = useState({ count: 0, position: changed.value.position });
  const seen = useRef(changed.value.count);
  // Something live came while it was read: what is read may be older.
  const overtaken = useRef(false);

  const reload = () => setRound((r) => ({ count: r.count + 1, position: '' }));

  useEffect(() => {
    if (url === null) return;
    const stop = new AbortController();
    let timer = 0;
    const kind = url.split('?')[0];
    overtaken.current = false;
    setState((old) => ({ ...old, data: old.of === kind ? old.data : undefined, loading: true }));
    get<T>(reading.after === false ? url : withPosition(url, round.position), stop.signal).then(
      (data) => {
        setState({ of: kind, data, loading: false });
        if (overtaken.current) timer = window.setTimeout(reload, calm);
      },
      (error) => {
        if (!stop.signal.aborted) setState((old) => ({ of: kind, data: old.of === kind ? old.data : undefined, problem: error, loading: false }));
      },
    );
    return () => {
      stop.abort();
      clearTimeout(timer);
    };
  }, [url, round]);

  useEffect(() => changed.subscribe(({ count, position }) => {
    if (count === seen.current) return;
    seen.current = count;
    setRound((r) => ({ count: r.count + 1, position }));
  }), []);

  const { live } = reading;
  useEffect(() => {
    if (!live || url === null) return;
    let timer = 0;
    let last = 0;
    const stop = onLive(live, () => {
      if (timer) return;
      timer = window.setTimeout(() => {
        timer = 0;
        last = Date.now();
        reload();
      }, Math.max(0, last + calm - Date.now()));
    });
    return () => {
      stop();
      clearTimeout(timer);
    };
  }, [url, live?.batch, live?.kind]);

  return {
    data: state.data, problem: state.problem, loading: state.loading, reload,
    patch: (change) => {
      overtaken.current = true;
      setState((old) => (old.data === undefined ? old : { ...old, data: change(old.data) }));
    },
  };
}
