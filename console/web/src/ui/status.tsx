// Statuses: colour, shape and word together, so that none of them carries the
// meaning alone.
import { statusWord } from '../i18n/words';
import { Icon, type IconName } from './icons';

const looks: Record<string, [tone: string, icon: IconName]> = {
  'in-progress': ['busy', 'play'], running: ['busy', 'play'], listing: ['busy', 'play'], active: ['busy', 'play'],
  succeeded: ['good', 'check'], migrated: ['good', 'check'], passed: ['good', 'check'], completed: ['good', 'check'], complete: ['good', 'check'],
  enabled: ['good', 'check'], delivered: ['good', 'check'], approved: ['good', 'check'], ok: ['good', 'check'], done: ['good', 'check'],
  'succeeded-with-exceptions': ['warn', 'check'], exceptions: ['warn', 'check'],
  failed: ['bad', 'cross'], stopped: ['bad', 'cross'], rejected: ['bad', 'cross'], refused: ['bad', 'cross'],
  pending: ['calm', 'clock'], waiting: ['calm', 'clock'],
  paused: ['warn', 'pause'], held: ['warn', 'pause'], skipped: ['warn', 'skips'], warning: ['warn', 'warning'], interrupted: ['warn', 'pause'], changed: ['warn', 'retry'], differs: ['warn', 'warning'],
  excepted: ['odd', 'minus'], cancelled: ['calm', 'minus'], disabled: ['calm', 'minus'], withdrawn: ['calm', 'minus'], expired: ['calm', 'minus'], never: ['calm', 'minus'],
};

export function Status({ of, word }: { of: string; word?: string }) {
  const [tone, icon] = looks[of] ?? ['calm', 'minus'];
  return (
    <span class={`status ${tone}`}>
      <Icon name={icon} size={12} />
      {word ?? statusWord(of)}
    </span>
  );
}
