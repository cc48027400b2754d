// Numbers, times and sizes as people read them.
import { language } from './preferences';

const locale = () => (language.value === 'zh' ? 'zh-CN' : 'en');

export const number = (n: number) => new Intl.NumberFormat(locale()).format(n);

export const decimal = (n: number, digits = 1) => new Intl.NumberFormat(locale(), { maximumFractionDigits: digits }).format(n);

export const percent = (part: number, whole: number) =>
  whole === 0 ? '–' : new Intl.NumberFormat(locale(), { style: 'percent', maximumFractionDigits: part === whole || part === 0 ? 0 : 1, roundingMode: 'trunc' } as Intl.NumberFormatOptions).format(part / whole);

export function bytes(n: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB', 'PB'];
  let i = 0;
  while (n >= 1000 && i < units.length - 1) {
    n /= 1000;
    i++;
  }
  return `${decimal(n, i === 0 ? 0 : 1)} ${units[i]}`;
}

// mebibytes, for limits that are set in them.
export const mebibytes = (n: number) => `${decimal(n / 2 ** 20, 2)} MiB`;

const two = (n: number) => String(n).padStart(2, '0');

// day of a time in the reader's zone, as 2026-01-31 in every language.
export const day = (t: Date) => `${t.getFullYear()}-${two(t.getMonth() + 1)}-${two(t.getDate())}`;

export const clock = (t: Date) => `${two(t.getHours())}:${two(t.getMinutes())}:${two(t.getSeconds())}`;

export function ago(t: Date, now = Date.now()): string {
  const seconds = Math.round((t.getTime() - now) / 1000);
  const format = new Intl.RelativeTimeFormat(locale(), { numeric: 'auto', style: 'short' });
  for (const [unit, size] of [['day', 86400], ['hour', 3600], ['minute', 60]] as const) {
    if (Math.abs(seconds) >= size) return format.format(Math.trunc(seconds / size), unit);
  }
  return format.format(seconds, 'second');
}

// duration in the two largest units.
export function duration(seconds: number): string {
  const zh = language.value === 'zh';
  const units: [number, string][] = zh
    ? [[86400, ' 天'], [3600, ' 小时'], [60, ' 分'], [1, ' 秒']]
    : [[86400, ' d'], [3600, ' h'], [60, ' min'], [1, ' s']];
  let left = Math.max(0, Math.round(seconds));
  const parts: string[] = [];
  for (const [size, name] of units) {
    const n = Math.floor(left / size);
    if (n > 0 || (size === 1 && parts.length === 0)) parts.push(n + name);
    left -= n * size;
    if (parts.length === 2) break;
  }
  return parts.join(' ');
}
