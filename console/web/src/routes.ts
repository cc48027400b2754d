// The pages and where they are. A page is a module of its own, loaded when it
// is first shown; its default export is given the values of its pattern.
import type { ComponentType } from 'preact';
import { may, restricted, type Permission } from './base/session';

export type PageProps = Record<string, string>;
type Load = () => Promise<{ default: ComponentType<PageProps> }>;

export interface Route {
  pattern: string;
  load: Load;
  needs?: Permission;
  whole?: boolean; // it tells of all organisations: closed to whom is restricted to some
}

const page = (load: () => Promise<{ default: ComponentType<any> }>): Load => load;

// isOpen tells whether whoever is signed in may see a page.
export const isOpen = (route: Route): boolean => (!route.needs || may(route.needs)) && !(route.whole && restricted());

export const routes: Route[] = [
  { pattern: '/', load: page(() => import('./pages/overview')) },
  { pattern: '/batches', load: page(() => import('./pages/batches')) },
  { pattern: '/batches/new', load: page(() => import('./pages/batch-new')), needs: 'batches:write' },
  { pattern: '/batches/:number/documents/:id', load: page(() => import('./pages/document')) },
  { pattern: '/failures', load: page(() => import('./pages/failures')) },
  { pattern: '/skips', load: page(() => import('./pages/skips')) },
  { pattern: '/operations', load: page(() => import('./pages/operations')) },
  { pattern: '/operations/:id', load: page(() => import('./pages/operation')) },
  { pattern: '/verifications/:id', load: page(() => import('./pages/verification')) },
  { pattern: '/coverage', load: page(() => import('./pages/coverage')) },
  { pattern: '/batches/:number/:tab?', load: page(() => import('./pages/batch')) },
  { pattern: '/sources', load: page(() => import('./pages/sources')), needs: 'sources:read' },
  { pattern: '/sources/new', load: page(() => import('./pages/source-form')), needs: 'sources:write' },
  { pattern: '/sources/:id', load: page(() => import('./pages/source')), needs: 'sources:read' },
  { pattern: '/sources/:id/edit', load: page(() => import('./pages/source-form')), needs: 'sources:write' },
  { pattern: '/profiles', load: page(() => import('./pages/profiles')), needs: 'profiles:read' },
  { pattern: '/profiles/new', load: page(() => import('./pages/profile-form')), needs: 'profiles:write' },
  { pattern: '/profiles/:name', load: page(() => import('./pages/profile')), needs: 'profiles:read' },
  { pattern: '/profiles/:name/edit', load: page(() => import('./pages/profile-form')), needs: 'profiles:write' },
  { pattern: '/lists', load: page(() => import('./pages/lists')), needs: 'batches:read', whole: true },
  { pattern: '/lists/:id', load: page(() => import('./pages/list')), needs: 'batches:read', whole: true },
  { pattern: '/tokens', load: page(() => import('./pages/tokens')), needs: 'tokens:read' },
  { pattern: '/approvals', load: page(() => import('./pages/approvals')), needs: 'approvals:read', whole: true },
  { pattern: '/approvals/:id', load: page(() => import('./pages/approval')), needs: 'approvals:read' },
  { pattern: '/webhooks', load: page(() => import('./pages/webhooks')), needs: 'webhooks:read' },
  { pattern: '/webhooks/new', load: page(() => import('./pages/webhook-form')), needs: 'webhooks:write' },
  { pattern: '/webhooks/:id', load: page(() => import('./pages/webhook')), needs: 'webhooks:read' },
  { pattern: '/webhooks/:id/edit', load: page(() => import('./pages/webhook-form')), needs: 'webhooks:write' },
  { pattern: '/audit', load: page(() => import('./pages/audit')), needs: 'audit:read' },
  { pattern: '/projections', load: page(() => import('./pages/projections')), needs: 'projections:read' },
];
