import { encodeQR } from 'qr';
import { type Locale, text } from '../texts.ts';

/** Invites on paper, to be cut apart and handed out. */
export interface Sheet {
  locale: Locale;
  /** In which the codes' last moments are written. */
  timeZone: string;
  organizationName: string;
  slips: readonly Slip[];
}

/** What one family or one employee is given. */
export interface Slip {
  /** Whose it is: the names of a family's children, say. */
  title: string;
  /** What it opens: the groups. */
  lines: readonly string[];
  codes: readonly SlipCode[];
}

export interface SlipCode {
  /** Who it is for, so that nobody takes another's: a masked phone number, say. */
  label: string;
  code: string;
  /** What the QR code holds; null: the code itself. */
  url: string | null;
  until: Date;
}

/** One page that needs nothing from elsewhere and runs no script: it is printed, or saved and printed later. */
export function printSlips({ locale, timeZone, organizationName, slips }: Sheet): string {
  const moment = new Intl.DateTimeFormat(locale, { dateStyle: 'long', timeStyle: 'short', timeZone });
  const says = (key: 'SLIP_HEADING' | 'SLIP_SCAN' | 'SLIP_PRIVATE'): string => escaped(text(locale, key));

  const codePrinted = ({ label, code, url, until }: SlipCode): string => `<section>
${qrCode(url ?? code)}
<div><b>${escaped(label)}</b><p>${says('SLIP_SCAN')}</p><code>${escaped(code)}</code>
<p>${escaped(text(locale, 'SLIP_UNTIL', { until: moment.format(until) }))} ${says('SLIP_PRIVATE')}</p></div>
</section>`;

  const slipPrinted = ({ title, lines, codes }: Slip): string => `<article>
<header>${says('SLIP_HEADING')} · ${escaped(organizationName)}</header>
<h2>${escaped(title)}</h2>
${lines.map((line) => `<p>${escaped(line)}</p>`).join('\n')}
${codes.map(codePrinted).join('\n')}
</article>`;

  return `<!doctype html>
<html lang="${locale}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${says('SLIP_HEADING')} — ${escaped(organizationName)}</title>
<style>${style}</style>
</head>
<body>
${slips.map(slipPrinted).join('\n')}
</body>
</html>
`;
}

/** Two slips side by side, with one dashed line between neighbours: one cut parts them. */
const style = `
@page { size: A4; margin: 10mm }
* { box-sizing: border-box; margin: 0 }
body { display: grid; grid-template-columns: 1fr 1fr; max-width: 190mm; margin: 0 auto; padding-left: 1px;
  background: #fff; color: #000; font: 9pt/1.3 system-ui, sans-serif }
article { min-width: 0; margin-left: -1px; padding: 4mm; border: 1px dashed #888; border-top: none; overflow-wrap: anywhere;
  page-break-inside: avoid; break-inside: avoid }
header { color: #444; font-size: 8pt }
h2 { font-size: 12pt }
section { display: flex; gap: 2mm; align-items: center; margin-top: 2mm; page-break-inside: avoid; break-inside: avoid }
section p { font-size: 8pt }
section div { flex: 1; min-width: 0 }
svg { flex: none; width: 36mm; height: 36mm }
code { font: 9.5pt/1.3 ui-monospace, monospace; word-break: break-all }
`;

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
const escaped = (value: string): string => value.replace(/[&<>"']/g, (character) => entities[character] ?? '');

/** A QR code of one stroke for each dark stretch of a row: a third of the size of a square for each module, as `qr` draws them. */
function qrCode(content: string): string {
  const rows = encodeQR(content, 'raw', { ecc: 'medium', border: 4 });
  const strokes = rows.flatMap((row, y) => {
    const stretches = row.map(Number).join('').matchAll(/1+/g);
    return [...stretches].map(({ index, 0: stretch }) => `M${index} ${y}h${stretch.length}`);
  });
  const size = rows.length;
  return `<svg viewBox="0 -.5 ${size} ${size}" shape-rendering="crispEdges"><path stroke="#000" d="${strokes.join('')}"/></svg>`;
}
