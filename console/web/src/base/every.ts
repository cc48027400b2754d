import { useEffect } from 'preact/hooks';

// useEvery calls back while something goes on of which no live event tells, and
// the page is looked at.
export function useEvery(milliseconds: number, call: () => void, on = true) {
  useEffect(() => {
    if (!on) return;
    const timer = setInterval(() => {
      if (!document.hidden) call();
    }, milliseconds);
    return () => clearInterval(timer);
  }, [milliseconds, on]);
}
