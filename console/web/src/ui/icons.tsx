// Icons as strokes on a 16-pixel grid.
const shapes = {
  overview: 'M2 13V8h3v5zM6.5 13V3h3v10zM11 13V6h3v7z',
  batches: 'M2 5l6-3 6 3-6 3zM2 8l6 3 6-3M2 11l6 3 6-3',
  coverage: 'M2 2h5v5H2zM9 2h5v5H9zM2 9h5v5H2zM9 9h5v5H9z',
  operations: 'M3 4h10M3 8h10M3 12h6',
  failures: 'M8 2l6.5 11.5h-13zM8 6.5v3M8 11.5v.01',
  skips: 'M3 3l6 5-6 5zM12 3v10',
  sources: 'M2.5 4c0-1 2.5-2 5.5-2s5.5 1 5.5 2-2.5 2-5.5 2-5.5-1-5.5-2zM2.5 4v8c0 1 2.5 2 5.5 2s5.5-1 5.5-2V4M2.5 8c0 1 2.5 2 5.5 2s5.5-1 5.5-2',
  profiles: 'M3 2h7l3 3v9H3zM5.5 8l1.5 1.5L10.5 6M5.5 12h5',
  lists: 'M6 4h8M6 8h8M6 12h8M2.5 4h.01M2.5 8h.01M2.5 12h.01',
  audit: 'M8 1.5l5.5 2v4.5c0 3-2.5 5.5-5.5 6.5-3-1-5.5-3.5-5.5-6.5v-4.5zM5.5 8l2 2 3-3.5',
  approvals: 'M5.5 7.5a2.5 2.5 0 100-5 2.5 2.5 0 000 5zM1.5 14c0-3 2-4.5 4-4.5s4 1.5 4 4.5M10.5 6l1.5 1.5L15 4.5',
  projections: 'M2 3h12v8H2zM5.5 14h5M8 11v3',
  webhooks: 'M6 9a3 3 0 104 3M10 9L8 4.5M9.5 4.5a1.5 1.5 0 10-3 0M4 12l2.5-4.5M8 12h4',
  tokens: 'M5.5 10.5a3 3 0 100-6 3 3 0 000 6zM8.5 7.5H14v3M11.5 7.5v2',
  verifications: 'M7 12a5 5 0 100-10 5 5 0 000 10zM10.5 10.5L14 14M5 7l1.5 1.5L9 5.5',
  menu: 'M2 4h12M2 8h12M2 12h12',
  close: 'M3.5 3.5l9 9M12.5 3.5l-9 9',
  sun: 'M8 11a3 3 0 100-6 3 3 0 000 6zM8 1v1.5M8 13.5V15M1 8h1.5M13.5 8H15M3 3l1 1M12 12l1 1M3 13l1-1M12 4l1-1',
  moon: 'M13.5 9.5A6 6 0 016.5 2.5a6 6 0 107 7z',
  system: 'M2 3h12v8H2zM6 14h4',
  check: 'M3 8.5l3.5 3.5L13 4.5',
  cross: 'M4 4l8 8M12 4l-8 8',
  clock: 'M8 14A6 6 0 108 2a6 6 0 000 12zM8 5v3l2 2',
  pause: 'M5.5 3v10M10.5 3v10',
  play: 'M4 2.5l9 5.5-9 5.5z',
  minus: 'M3 8h10',
  warning: 'M8 2l6.5 11.5h-13zM8 6.5v3M8 11.5v.01',
  plus: 'M8 3v10M3 8h10',
  arrow: 'M6 3l5 5-5 5',
  down: 'M3 6l5 5 5-5',
  file: 'M4 1.5h5l3 3v10H4zM9 1.5v3h3',
  download: 'M8 2v8M4.5 7L8 10.5 11.5 7M2.5 13.5h11',
  retry: 'M13 8a5 5 0 11-1.5-3.5L13 6M13 2.5V6H9.5',
  copy: 'M6 5.5h8v9H6zM10.5 5.5v-4h-8v9H6',
  search: 'M7 12a5 5 0 100-10 5 5 0 000 10zM10.5 10.5L14 14',
  external: 'M9 2.5h4.5V7M13.5 2.5L7.5 8.5M11 9.5v4H2.5V5h4',
} as const;

export type IconName = keyof typeof shapes;

export function Icon({ name, size = 16 }: { name: IconName; size?: number }) {
  return (
    <svg class="icon" width={size} height={size} viewBox="0 0 16 16" fill="none" stroke="currentColor" stroke-width="1.5" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">
      <path d={shapes[name]} />
    </svg>
  );
}
