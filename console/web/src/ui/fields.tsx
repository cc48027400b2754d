// Inputs with their label, help and error.
import type { ComponentChildren } from 'preact';
import { useId, useState } from 'preact/hooks';
import { common } from '../i18n/common';
import { Icon } from './icons';

interface FieldProps {
  label: string;
  help?: ComponentChildren;
  required?: boolean;
  children: (id: string, described: string | undefined) => ComponentChildren;
}

export function Field({ label, help, required, children }: FieldProps) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}{!required && <span class="faint"> · {common.optional()}</span>}</label>
      {children(id, help ? id + 'h' : undefined)}
      {help && <small id={id + 'h'} class="faint">{help}</small>}
    </div>
  );
}

interface InputProps {
  label: string;
  name: string;
  value?: string | number;
  help?: ComponentChildren;
  required?: boolean;
  type?: 'text' | 'date' | 'month' | 'number' | 'url' | 'datetime-local' | 'time';
  pattern?: string;
  min?: string | number;
  max?: string | number;
  step?: string;
  maxLength?: number;
  disabled?: boolean;
  placeholder?: string;
  onValue?: (value: string) => void;
}

export function Input({ label, help, required, value, onValue, type = 'text', ...rest }: InputProps) {
  return (
    <Field label={label} help={help} required={required}>
      {(id, described) => (
        <input id={id} aria-describedby={described} type={type as 'text'} required={required} defaultValue={value === undefined ? undefined : String(value)}
          autocomplete="off" spellcheck={false} onInput={onValue && ((e) => onValue(e.currentTarget.value))} {...rest} />
      )}
    </Field>
  );
}

export function Area({ label, name, value, help, required, rows = 3, maxLength }: Omit<InputProps, 'type'> & { rows?: number }) {
  return (
    <Field label={label} help={help} required={required}>
      {(id, described) => <textarea id={id} name={name} aria-describedby={described} required={required} rows={rows} maxLength={maxLength} defaultValue={value === undefined ? undefined : String(value)} />}
    </Field>
  );
}

export type Option = readonly [value: string, text: string];

export function Select({ label, name, value, help, required, options, onValue }: Omit<InputProps, 'type'> & { options: Option[] }) {
  return (
    <Field label={label} help={help} required={required}>
      {(id, described) => (
        <select id={id} name={name} aria-describedby={described} required={required} onChange={onValue && ((e) => onValue(e.currentTarget.value))}>
          {options.map(([v, text]) => <option key={v} value={v} selected={v === String(value ?? '')}>{text}</option>)}
        </select>
      )}
    </Field>
  );
}

export function Check({ label, name, checked }: { label: string; name: string; checked?: boolean }) {
  return <label class="check"><input type="checkbox" name={name} defaultChecked={checked} /> {label}</label>;
}

// Segments choose one of a few.
export function Segments({ label, name, value, options, onValue }: { label: string; name: string; value: string; options: Option[]; onValue?: (value: string) => void }) {
  const [chosen, setChosen] = useState(value);
  return (
    <fieldset class="segments">
      <legend>{label}</legend>
      <div>
        {options.map(([v, text]) => (
          <label key={v} class={v === chosen ? 'on' : ''}>
            <input type="radio" name={name} value={v} checked={v === chosen} onChange={() => { setChosen(v); onValue?.(v); }} />
            {text}
          </label>
        ))}
      </div>
    </fieldset>
  );
}

// values of a form, trimmed; those that are empty are left out.
export function valuesOf(form: HTMLFormElement): Record<string, string> {
  const values: Record<string, string> = {};
  for (const [name, value] of new FormData(form)) {
    if (typeof value === 'string' && value.trim() !== '') values[name] = value.trim();
  }
  return values;
}

// words of a text, between commas or lines.
export const listOf = (text: string | undefined): string[] => (text ?? '').split(/[,，;；\n]/).map((w) => w.trim()).filter(Boolean);

export function Copy({ text }: { text: string }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setCopied(true);
  };
  if (!navigator.clipboard) return null; // over plain HTTP there is none
  return <button type="button" onClick={copy}><Icon name={copied ? 'check' : 'copy'} size={14} />{copied ? common.copied() : common.copy()}</button>;
}
