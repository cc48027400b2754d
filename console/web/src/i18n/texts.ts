// Texts in both languages, side by side, so that neither is forgotten.
import { language } from '../base/preferences';
import { number } from '../base/format';

export type Pair = readonly [en: string, zh: string];
export type Arguments = Record<string, string | number>;
export type Message = (values?: Arguments) => string;

// spoken gives a text in the reader's language, with its {values} put in.
// English may have two forms, "one document|{n} documents", chosen by n.
export function spoken(pair: Pair, values: Arguments = {}): string {
  let text = language.value === 'zh' ? pair[1] : pair[0];
  if (text.includes('|')) text = text.split('|')[values.n === 1 ? 0 : 1];
  return text.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = values[name];
    return typeof value === 'number' ? number(value) : String(value ?? '');
  });
}

// texts makes a table of pairs into functions.
export function texts<K extends string>(table: Record<K, Pair>): Record<K, Message> {
  const made = {} as Record<K, Message>;
  for (const name of Object.keys(table) as K[]) made[name] = (values) => spoken(table[name], values);
  return made;
}

// word gives the text of a value of the API; the value itself when it is new.
export const wordIn = (table: Record<string, Pair>) => (value: string | undefined) =>
  value === undefined || value === '' ? '–' : table[value] ? spoken(table[value]) : value;
