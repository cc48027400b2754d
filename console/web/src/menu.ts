// The menu. An entry is shown to whom its page is open.
import { shell } from './i18n/common';
import type { IconName } from './ui/icons';

interface Entry {
  to: string;
  text: () => string;
  icon: IconName;
}

export const menu: { name: () => string; entries: Entry[] }[] = [
  { name: shell.migrate, entries: [
    { to: '/', text: shell.overview, icon: 'overview' },
    { to: '/batches', text: shell.batches, icon: 'batches' },
    { to: '/coverage', text: shell.coverage, icon: 'coverage' },
  ] },
  { name: shell.review, entries: [
    { to: '/failures', text: shell.failures, icon: 'failures' },
    { to: '/skips', text: shell.skips, icon: 'skips' },
    { to: '/operations', text: shell.operations, icon: 'operations' },
    { to: '/approvals', text: shell.approvals, icon: 'approvals' },
  ] },
  { name: shell.setUp, entries: [
    { to: '/sources', text: shell.sources, icon: 'sources' },
    { to: '/profiles', text: shell.profiles, icon: 'profiles' },
    { to: '/lists', text: shell.lists, icon: 'lists' },
    { to: '/webhooks', text: shell.webhooks, icon: 'webhooks' },
    { to: '/tokens', text: shell.tokens, icon: 'tokens' },
  ] },
  { name: shell.prove, entries: [
    { to: '/audit', text: shell.audit, icon: 'audit' },
    { to: '/projections', text: shell.projections, icon: 'projections' },
  ] },
];
