// Builds ../dist from src: `node build.mjs`; with --check it compares instead,
// and fails when what is committed is not what the sources give.
import { build } from 'esbuild';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const dist = join(here, '../dist');
const checks = process.argv.includes('--check');

function run(tool, ...args) {
  const { status } = spawnSync(join(here, tool), args, { cwd: here, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

run('../../tools/node_modules/.bin/openapi-ts', '--input', '../../contract/openapi.json', '--output', 'src/api/generated',
  '--plugins', '@hey-api/typescript', '--no-log-file', '--silent');
run('node_modules/.bin/tsc');

const common = {
  absWorkingDir: here, bundle: true, minify: true, write: false, outdir: dist, metafile: true,
  target: ['chrome109', 'firefox115', 'safari16'], charset: 'utf8', legalComments: 'none', logLevel: 'warning',
  entryNames: 'assets/[name]-[hash]', chunkNames: 'assets/[name]-[hash]', assetNames: 'assets/[name]-[hash]',
};
const app = await build({
  ...common, entryPoints: ['src/main.tsx', 'src/style/main.css'], format: 'esm', splitting: true,
  jsx: 'automatic', jsxImportSource: 'preact', loader: { '.svg': 'file' },
});
// Sets the theme before the first paint; a module would run after it.
const early = await build({ ...common, entryPoints: ['src/early.ts'], format: 'iife' });

const files = new Map([...app.outputFiles, ...early.outputFiles].map((f) => [relative(dist, f.path), f.text]));
const made = (name, ending) => '/' + [...files.keys()].find((f) => f.startsWith(`assets/${name}-`) && f.endsWith(ending));
const icon = readFileSync(join(here, 'src/icon.svg'), 'utf8');
files.set('icon.svg', icon);
// What the first page loads in any case is asked for at once.
const entry = Object.entries(app.metafile.outputs).find(([, o]) => o.entryPoint === 'src/main.tsx')[1];
const preloads = entry.imports.filter((i) => i.kind === 'import-statement')
  .map((i) => `<link rel="modulepreload" href="/${relative(dist, join(here, i.path))}">`).join('\n');
files.set('index.html', readFileSync(join(here, 'index.html'), 'utf8')
  .replace('{{style}}', made('main', '.css')).replace('{{early}}', made('early', '.js'))
  .replace('{{preloads}}', preloads).replace('{{main}}', made('main', '.js')));

const present = existsSync(dist) ? readdirSync(dist, { recursive: true, withFileTypes: true })
  .filter((f) => f.isFile()).map((f) => relative(dist, join(f.parentPath, f.name))) : [];
if (checks) {
  const differing = [...new Set([...files.keys(), ...present])]
    .filter((f) => !present.includes(f) || files.get(f) !== readFileSync(join(dist, f), 'utf8'));
  if (differing.length > 0) {
    console.error(`console/dist is not what console/web gives (make console): ${differing.join(', ')}`);
    process.exit(1);
  }
} else {
  rmSync(dist, { recursive: true, force: true });
  mkdirSync(join(dist, 'assets'), { recursive: true });
  for (const [name, text] of files) writeFileSync(join(dist, name), text);
}
