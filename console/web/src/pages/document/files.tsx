// Files by class, each with what is known of it, and a preview of the bytes in
// the archive.
import { useState } from 'preact/hooks';
import type { DocumentFile, DocumentWithFiles, RuleTable } from '../../api/types';
import { bytes, decimal, number as figure } from '../../base/format';
import { segment } from '../../base/place';
import { may } from '../../base/session';
import { document as words, resultWord } from '../../i18n/document';
import { classWord, statusWord } from '../../i18n/words';
import { Told } from '../../ui/failure';
import { Icon } from '../../ui/icons';
import { Facts } from '../../ui/parts';
import { Status } from '../../ui/status';
import { Broken } from '../document';
import * as act from './actions';

const classes = ['cover', 'invoice', 'attachment', ''];

export function Files({ number, of: d, rules }: { number: string; of: DocumentWithFiles; rules?: RuleTable }) {
  const [chosen, setChosen] = useState((d.fileList.find((f) => f.status === 'failed') ?? d.fileList.find(stored))?.id ?? d.fileList[0]?.id);
  const file = d.fileList.find((f) => f.id === chosen);
  return (
    <div class="split files">
      <div>
        {classes.map((c) => {
          const of = d.fileList.filter((f) => f.class === c);
          if (of.length === 0 && c === '') return null;
          return (
            <section key={c} class="class">
              <h3>{classWord(c)} <span class="faint">{of.length === 0 ? words.classMissing() : figure(of.length)}</span></h3>
              <ul>
                {of.map((f) => (
                  <li key={f.id}>
                    <button type="button" class="file" aria-pressed={f.id === chosen} onClick={() => setChosen(f.id)}>
                      <Thumbnail number={number} document={d.id} of={f} />
                      <span class="grow"><b class="clip">{f.name}</b><small class="faint">{bytes(f.arrival?.received || f.size)}{f.arrival?.format && ` · ${f.arrival.format}`}{f.arrival?.pages ? ` · ${words.pages({ n: f.arrival.pages })}` : ''}</small></span>
                      <Status of={f.status} />
                    </button>
                  </li>
                ))}
              </ul>
            </section>
          );
        })}
      </div>
      {file && <Shown key={file.id} number={number} document={d} of={file} rules={rules} />}
    </div>
  );
}

const stored = (f: DocumentFile) => f.arrival?.stored !== undefined;

const contentPath = (number: string, document: string, f: DocumentFile) => `/v1/batches/${segment(number)}/documents/${segment(document)}/files/${segment(f.id)}/content`;

const kindOf = (f: DocumentFile) => {
  const format = (f.arrival?.format || f.type || '').toLowerCase();
  if (['png', 'jpeg', 'jpg', 'bmp', 'gif', 'webp'].includes(format)) return 'image';
  if (['tiff', 'tif'].includes(format)) return 'scan';
  return format === 'pdf' ? 'pdf' : 'other';
};

function Thumbnail({ number, document, of: f }: { number: string; document: string; of: DocumentFile }) {
  if (stored(f) && kindOf(f) === 'image') return <img class="thumbnail" src={contentPath(number, document, f)} alt="" loading="lazy" width="40" height="40" />;
  return <span class="thumbnail"><Icon name="file" size={20} /></span>;
}

function Preview({ number, document, of: f }: { number: string; document: string; of: DocumentFile }) {
  const [failed, setFailed] = useState(false);
  if (!stored(f)) return <div class="preview none"><Icon name="file" size={28} /><p>{words.notArrived()}</p></div>;
  const path = contentPath(number, document, f);
  const kind = failed ? 'other' : kindOf(f);
  const shown = kind === 'scan' ? path + '?as=png' : path; // no browser shows a TIFF
  return (
    <div class={`preview ${kind === 'scan' ? 'image' : kind}`}>
      {(kind === 'image' || kind === 'scan') && <a href={shown} target="_blank"><img src={shown} alt={f.name} onError={() => setFailed(true)} /></a>}
      {kind === 'pdf' && <iframe src={path} title={f.name} />}
      {kind === 'other' && <><Icon name="file" size={28} /><p>{words.noPreview()}</p></>}
    </div>
  );
}

function Shown({ number, document: d, of: f, rules }: { number: string; document: DocumentWithFiles; of: DocumentFile; rules?: RuleTable }) {
  const a = f.arrival;
  const path = contentPath(number, d.id, f);
  return (
    <section class="panel shown" aria-label={f.name}>
      <header>
        <h2 class="clip" title={f.name}>{f.name}</h2>
        <div class="buttons">
          {stored(f) && <a class="button" href={path} target="_blank"><Icon name="external" size={14} />{words.openNew()}</a>}
          {stored(f) && <a class="button" href={path + '?download=true'} download><Icon name="download" size={14} />{words.download()}</a>}
          {may('documents:write') && ['failed', 'pending'].includes(f.status) && <button type="button" onClick={() => act.skip(number, d, f)}>{words.skip()}</button>}
          {may('documents:write') && f.status === 'skipped' && <button type="button" onClick={() => act.recall(number, d, f)}>{words.recall()}</button>}
        </div>
      </header>
      {f.skip && <div class="notice"><Icon name="skips" /><span>{words.skippedBy({ reason: f.skip.reason })}{f.skip.reviewOn && ` · ${words.reviewOn({ what: f.skip.reviewOn })}`}</span></div>}
      {a?.failure && <div class="notice bad"><Icon name="warning" /><span><code>{a.failure.code}</code> <Told of={a.failure} /></span></div>}
      <Preview number={number} document={d.id} of={f} />
      {a?.rules && a.rules.length > 0 ? <><h3>{words.rules()}</h3><Broken rules={a.rules} table={rules} /></> : a && !a.failure && <p class="faint quiet"><Icon name="check" /> {words.noRules()}</p>}
      <Facts of={[
        [words.declared(), `${f.type ?? '–'} · ${bytes(f.size)}`],
        a && a.received > 0 && [words.received(), [a.format, bytes(a.received), a.width && a.height ? words.pixels({ w: a.width, h: a.height }) : '', a.dpi ? words.dpi({ n: decimal(a.dpi) }) : '', a.pages ? words.pages({ n: a.pages }) : ''].filter(Boolean).join(' · ')],
        a?.result !== undefined && [words.result(), resultWord(a.result)],
        a?.stored && [words.sha256(), <code class="break">{a.stored.sha256}</code>],
        [words.hash(), f.hash ? <><code class="break">{f.hash}</code> {f.hashAlgorithm}</> : words.noHash()],
        a?.readBack !== undefined && [words.readBack(), a.readBack === a.stored?.sha256 ? <><Icon name="check" size={12} /> {words.readBackSame()}</> : <code class="break">{a.readBack}</code>],
        a?.stored && [words.stored(), <code class="break">{a.stored.key}</code>],
        [words.file(), <><code class="break">{f.id}</code> <span class="faint">{statusWord(f.status)}</span></>],
      ]} />
    </section>
  );
}
