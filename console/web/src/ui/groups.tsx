// Failures gathered by their cause: what failed, how often, what to do about it.
import type { ComponentChildren } from 'preact';
import type { FailureGroup, Failures } from '../api/types';
import { language } from '../base/preferences';
import { number } from '../base/format';
import type { Resource } from '../base/resource';
import { failures as words } from '../i18n/batch';
import { categoryWord, stageWord } from '../i18n/words';
import { Told } from './failure';
import { Empty } from './table';
import { Icon } from './icons';
import { Skeleton } from './parts';
import { ProblemBox } from './problem';
import { Time } from './time';

export function Groups({ of, actions, sample }: { of: Resource<Failures>; actions: (g: FailureGroup) => ComponentChildren; sample: (g: FailureGroup) => string | undefined }) {
  if (of.problem) return <ProblemBox problem={of.problem} again={of.reload} />;
  if (!of.data) return <Skeleton lines={8} />;
  if (of.data.items.length === 0) return <Empty title={words.none()}><p>{words.noneHelp()}</p></Empty>;
  const most = Math.max(...of.data.items.map((g) => g.count));
  return (
    <ul class="groups">
      {of.data.items.map((g) => {
        const example = sample(g);
        return (
          <li key={g.fingerprint} class="panel">
            <div class="line">
              <b class="big">{number(g.count)}</b>
              <div class="grow"><strong>{categoryWord(g.category)}</strong> · {stageWord(g.stage)} <code>{g.code}</code><p><Told of={{ code: g.code, detail: g.detail.replaceAll('<*>', '…') }} /></p></div>
              <div class="buttons">{actions(g)}</div>
            </div>
            <div class="bar thin"><i class="failed" style={{ width: `${(100 * g.count) / most}%` }} /></div>
            <p class="remedy"><Icon name="arrow" size={12} /> {g.remedy[language.value]}</p>
            <p class="line small faint">
              <span>{g.retryable ? words.retryable() : words.notRetryable()}</span>
              <span>{words.first()} <Time at={g.firstSeen} relative /></span><span>{words.last()} <Time at={g.lastSeen} relative /></span>
              {example && <a href={example}>{words.sample()}</a>}
            </p>
          </li>
        );
      })}
    </ul>
  );
}
