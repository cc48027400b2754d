import { choose, language, theme, type Theme } from '../base/preferences';
import { shell } from '../i18n/common';
import { Icon, type IconName } from './icons';

export function Preferences() {
  const themes: [Theme, IconName, string][] = [['system', 'system', shell.themeSystem()], ['light', 'sun', shell.themeLight()], ['dark', 'moon', shell.themeDark()]];
  const [, icon, name] = themes.find(([t]) => t === theme.value)!;
  const next = themes[(themes.findIndex(([t]) => t === theme.value) + 1) % themes.length][0];
  return (
    <>
      <button type="button" class="plain" title={`${shell.theme()}: ${name}`} aria-label={`${shell.theme()}: ${name}`} onClick={() => choose({ theme: next })}><Icon name={icon} /></button>
      <button type="button" class="plain" lang={language.value === 'zh' ? 'en' : 'zh-CN'} title={shell.languageHelp()} onClick={() => choose({ language: language.value === 'zh' ? 'en' : 'zh' })}>{shell.language()}</button>
    </>
  );
}
