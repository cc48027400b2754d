// Results of what one did, at the edge of the page for a while.
import { signal } from '@preact/signals';
import { common } from '../i18n/common';
import { Icon } from './icons';

interface Toast {
  id: number;
  text: string;
  link?: { to: string; text: string };
}

const shown = signal<Toast[]>([]);
let last = 0;
const lasts = 8000;

const dismiss = (id: number) => (shown.value = shown.value.filter((t) => t.id !== id));

export function toast(text: string, link?: Toast['link']) {
  const id = ++last;
  shown.value = [...shown.value.slice(-3), { id, text, link }];
  setTimeout(() => dismiss(id), lasts);
}

export function Toasts() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {shown.value.map((t) => (
        <div class="toast" key={t.id}>
          <Icon name="check" />
          <span>{t.text}</span>
          {t.link && <a href={t.link.to} onClick={() => dismiss(t.id)}>{t.link.text}</a>}
          <button type="button" class="plain" aria-label={common.cancel()} onClick={() => dismiss(t.id)}><Icon name="close" size={12} /></button>
        </div>
      ))}
    </div>
  );
}
