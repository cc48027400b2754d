import { render } from 'preact';
import { App } from './app';
import { followLinks } from './base/place';
import { restore } from './base/session';

followLinks();
void restore();
render(<App />, document.getElementById('app')!);
