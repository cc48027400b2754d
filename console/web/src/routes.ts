// The pages and where they are. A page is a module of its own, loaded when it
// is first shown; its default export is given the values of its pattern.
import type { ComponentType } from 'preact';
import type { Permission } from './base/session';

export type PageProps = Record<string, string>;
type Load = () => Promise<{ default: ComponentType<PageProps> }>;

export interface Route {
  pattern: string;
  load: Load;
  needs?: Permission;
}

const page = (load: () => Promise<{ default: ComponentType<any> }>): Load => load;

export const routes: Route[] = [
  { pattern: '/', load: page(() => import('./pages/overview')) },
  { pattern: '/batches', load: page(() => import('./pages/batches')) },
  { pattern: '/batches/new', load: page(() => import('./pages/batch-new')), needs: 'batches:write' },
  { pattern: '/batches/:number/documents/:id', load: page(() => import('./pages/document')) },
  { pattern: '/failures', load: page(() => import('./pages/failures')) },
  { pattern: '/skips', load: page(() => import('./pages/skips')) },
  { pattern: '/operations', load: page(() => import('./pages/operations')) },
  { pattern: '/operations/:id', load: page(() => import('./pages/operation')) },
  { pattern: '/coverage', load: page(() => import('./pages/coverage')) },
  { pattern: '/batches/:number/:tab?', load: page(() => import('./pages/batch')) },
  { pattern: '/sources', load: page(() => import('./pages/sources')), needs: 'sources:read' },
  { pattern: '/sources/new', load: page(() => import('./pages/source-form')), needs: 'sources:write' },
  { pattern: '/sources/:id', load: page(() => import('./pages/source')), needs: 'sources:read' },
  { pattern: '/sources/:id/edit', load: page(() => import('./pages/source-form')), needs: 'sources:write' },
];
