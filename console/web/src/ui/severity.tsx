// What a finding means: blocks, warns, is only told, or nothing.
import { severityWord } from '../i18n/words';
import { Icon, type IconName } from './icons';

const looks: Record<string, [tone: string, icon: IconName]> = { block: ['bad', 'cross'], warn: ['warn', 'warning'], info: ['busy', 'check'], off: ['calm', 'minus'] };

export function Severity({ of }: { of: string }) {
  const [tone, icon] = looks[of] ?? looks.off;
  return <span class={`status ${tone}`}><Icon name={icon} size={12} />{severityWord(of)}</span>;
}
