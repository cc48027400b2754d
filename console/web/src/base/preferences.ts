// What a person prefers, kept by the browser: language and theme.
import { effect, signal } from '@preact/signals';

export type Language = 'en' | 'zh';
export type Theme = 'system' | 'light' | 'dark';

export function remembered(key: string): string | null {
  try {
    return localStorage.getItem('waybill.' + key);
  } catch {
    return null;
  }
}

export function remember(key: string, value: string) {
  try {
    localStorage.setItem('waybill.' + key, value);
  } catch {
    // It holds until the page is closed.
  }
}

function firstLanguage(): Language {
  const kept = remembered('language');
  if (kept === 'en' || kept === 'zh') return kept;
  const wanted = navigator.languages.find((l) => /^(en|zh)\b/i.test(l)) ?? 'en';
  return wanted.toLowerCase().startsWith('zh') ? 'zh' : 'en';
}

function firstTheme(): Theme {
  const kept = remembered('theme');
  return kept === 'light' || kept === 'dark' ? kept : 'system';
}

export const language = signal<Language>(firstLanguage());
export const theme = signal<Theme>(firstTheme());

export function choose(choice: { language?: Language; theme?: Theme }) {
  if (choice.language) {
    language.value = choice.language;
    remember('language', choice.language);
  }
  if (choice.theme) {
    theme.value = choice.theme;
    remember('theme', choice.theme);
  }
}

effect(() => {
  document.documentElement.lang = language.value === 'zh' ? 'zh-CN' : 'en';
});

effect(() => {
  if (theme.value === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme.value;
});
