import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { htmlOf, plainTextOf } from '../src/documents/markdown.ts';

const link = (href: string, text: string): string =>
  `<a href="${href}" rel="noopener noreferrer nofollow" target="_blank">${text}</a>`;
const paragraph = (html: string): string => `<p>${html}</p>\n`;

describe('what people write', () => {
  const post = `# Поездка в музей

Дорогие родители, **завтра**
выезд в _8:30_ 🎄 «ёлочки» ~~не~~ нужны.

- тёплые вещи
- вода
  1. негазированная
  2. 0,5 л

7. Сбор
8. Выезд

> Опоздавших не ждём

***
\`<b>\` и
\`\`\`js
if (a < b) *c*
\`\`\``;

  test('is shown as they mean it', () => {
    expect(htmlOf(post)).toBe(`<h3>Поездка в музей</h3>
<p>Дорогие родители, <strong>завтра</strong><br />
выезд в <em>8:30</em> 🎄 «ёлочки» <s>не</s> нужны.</p>
<ul>
<li>тёплые вещи</li>
<li>вода
<ol>
<li>негазированная</li>
<li>0,5 л</li>
</ol>
</li>
</ul>
<ol start="7">
<li>Сбор</li>
<li>Выезд</li>
</ol>
<blockquote>
<p>Опоздавших не ждём</p>
</blockquote>
<hr />
<p><code>&lt;b&gt;</code> и</p>
<pre><code>if (a &lt; b) *c*
</code></pre>
`);
  });

  test('is read as words where there is no room for more', () => {
    expect(plainTextOf(post)).toBe(`Поездка в музей
Дорогие родители, завтра
выезд в 8:30 🎄 «ёлочки» не нужны.
• тёплые вещи
• вода
1. негазированная
2. 0,5 л
7. Сбор
8. Выезд
Опоздавших не ждём
<b> и
if (a < b) *c*`);
  });

  test('may have items without words, and items of several paragraphs', () => {
    expect(plainTextOf('- а\n\n  б\n-\n\n# в')).toBe('• а\nб\nв');
  });

  test('has headings that are not louder than the page', () => {
    expect(htmlOf('# a\n## b\n### c\n###### d')).toBe('<h3>a</h3>\n<h4>b</h4>\n<h5>c</h5>\n<h5>d</h5>\n');
  });

  test('has no code by indentation, no headings by underlining, no tables', () => {
    expect(htmlOf('    Отступ')).toBe(paragraph('Отступ'));
    expect(htmlOf('Подпись\n---\nИванова')).toBe('<p>Подпись</p>\n<hr />\n<p>Иванова</p>\n');
    expect(htmlOf('|a|b|\n|-|-|\n|1|2|')).toBe(paragraph('|a|b|<br />\n|-|-|<br />\n|1|2|'));
  });

  test('may be nothing', () => {
    for (const text of ['', ' \n\t\n ']) expect([htmlOf(text), plainTextOf(text)]).toEqual(['', '']);
  });
});

describe('links', () => {
  test('open elsewhere, and are known by themselves with a scheme, after www., and in an e-mail address', () => {
    expect(htmlOf('https://школа.рф/а?b=1&c www.school.ru/x, info@school.ru. readme.md school.ru')).toBe(
      paragraph(
        `${link('https://xn--80atdl2c.xn--p1ai/%D0%B0?b=1&amp;c', 'https://школа.рф/а?b=1&amp;c')} ` +
          `${link('http://www.school.ru/x', 'www.school.ru/x')}, ${link('mailto:info@school.ru', 'info@school.ru')}. ` +
          'readme.md school.ru',
      ),
    );
    expect(htmlOf('[сайт](http://a.ru "т") [тел.](tel:+79990001122) <HTTPS://a.ru> [a](mailto:a@b.ru)')).toBe(
      paragraph(
        `${link('http://a.ru', 'сайт')} ${link('tel:+79990001122', 'тел.')} ` +
          `${link('HTTPS://a.ru', 'HTTPS://a.ru')} ${link('mailto:a@b.ru', 'a')}`,
      ),
    );
  });

  test('tell their address in words when it is another', () => {
    const words = {
      '[сайт](https://a.ru/б)': 'сайт (https://a.ru/б)',
      '[почта](mailto:a@b.ru) [+7999](tel:+7999)': 'почта (a@b.ru) +7999',
      '[a.ru](https://a.ru/) https://школа.рф www.a.ru a@b.ru <http://b.ru>':
        'a.ru https://школа.рф www.a.ru a@b.ru http://b.ru',
      '[http://bank.ru](http://evil.ru)': 'http://bank.ru (http://evil.ru)',
      '[**два** слова](http://a.ru) и [ещё](http://b.ru)': 'два слова (http://a.ru) и ещё (http://b.ru)',
    };
    for (const [text, expected] of Object.entries(words)) expect(plainTextOf(text)).toBe(expected);
  });

  test('stand for images, which are never loaded', () => {
    expect(htmlOf('![карта](http://a.ru/m.png) ![](http://a.ru/m.png)')).toBe(
      paragraph(`${link('http://a.ru/m.png', 'карта')} ${link('http://a.ru/m.png', 'http://a.ru/m.png')}`),
    );
    expect(plainTextOf('![карта](http://a.ru/m.png)')).toBe('карта (http://a.ru/m.png)');
    expect(htmlOf('Ура!https://a.ru Ура\\![тут](https://a.ru)')).toBe(
      paragraph(`Ура!${link('https://a.ru', 'https://a.ru')} Ура!${link('https://a.ru', 'тут')}`),
    );
  });

  test('without an address, to a place on the page or by reference are text', () => {
    expect(htmlOf('[a]() [b](#top) [c](/path) //d.ru ftp://e.ru')).toBe(
      paragraph('a [b](#top) [c](/path) //d.ru ftp://e.ru'),
    );
    expect(htmlOf('[a][b]\n\n[b]: /x')).toBe(paragraph('[a][b]') + paragraph('[b]: /x'));
  });
});

describe('what strangers write', () => {
  const tag =
    /<\/?(?:p|strong|em|s|h[345]|ul|li|blockquote|code|pre|a)>|<(?:br|hr) \/>|<ol(?: start="\d+")?>|<\/ol>|<a href="(?:https?:\/\/|mailto:|tel:)[^"<>]*" rel="noopener noreferrer nofollow" target="_blank">/gi;
  /** What is left when every tag that is allowed is taken away: text, in which no tag can begin. */
  const textOf = (html: string): string => html.replace(tag, '');

  test('runs nothing and loads nothing', () => {
    const attempts = [
      '<script>alert(1)</script>',
      '<img src=x onerror=alert(1)>',
      '<svg/onload=alert(1)>',
      '<a href="javascript:alert(1)">a</a>',
      '</p><style>@import "http://evil.ru"</style>',
      '<!--><script>alert(1)</script>-->',
      '<![CDATA[<script>alert(1)</script>]]>',
      '[a](javascript:alert(1))',
      '[a](JaVaScRiPt:alert(1))',
      '[a](&#106;avascript:alert(1))',
      '[a](java&Tab;script:alert(1))',
      '[a](java&NewLine;script&colon;alert(1))',
      '[a](<java\tscript:alert(1)>)',
      '[a](\u0001javascript:alert(1))',
      '[a](\u00a0javascript:alert(1))',
      '[a](javascript\\:alert(1))',
      '[a](vbscript:msgbox(1))',
      '[a](data:text/html;base64,PHNjcmlwdD4=)',
      '![a](data:image/svg+xml;base64,PHN2Zy8+)',
      '![a](javascript:alert(1))',
      '<javascript:alert(1)>',
      '<data:text/html,a>',
      '[a](http://a.ru"onmouseover="alert(1))',
      '[a](http://a.ru "t\\" onmouseover=\\"alert(1)")',
      '[a](<http://a.ru" onclick="alert(1)>)',
      'http://a.ru"onmouseover=alert(1)',
      'http://a.ru/<script>alert(1)</script>',
      'www.a.ru/"><script>alert(1)</script>',
      '[<script>alert(1)</script>](http://a.ru)',
      '`<script>alert(1)</script>`',
      '```"><script>alert(1)</script>\n<script>\n```',
      '~~~ js" onload="alert(1)\na\n~~~',
      '\0<script\0>alert(1)</script>',
      '&lt;script&gt;alert(1)&lt;/script&gt;',
      '&#60;img src=x onerror=alert(1)&#62;',
    ];
    for (const attempt of attempts) expect(textOf(htmlOf(attempt)), attempt).not.toMatch(/[<>]/);
  });

  test('is shown as they wrote it', () => {
    expect(htmlOf('<b>a</b> & [a](javascript:alert(1))')).toBe(
      paragraph('&lt;b&gt;a&lt;/b&gt; &amp; [a](javascript:alert(1))'),
    );
    expect(plainTextOf('<b>a</b> &lt;i&gt; & \\*')).toBe('<b>a</b> <i> & *');
  });

  test('has only what is allowed in it, whatever it is', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        '<',
        '>',
        '"',
        '&lt;',
        '&#60;',
        '<script>',
        '<img src=x onerror=a>',
        '</p>',
        '<!--',
        'onclick=',
        '\0',
      ),
      fc.constantFrom(
        '[',
        ']',
        '(',
        ')',
        '](',
        '![',
        '[a](http://a.ru)',
        '<http://a>',
        'javascript:',
        'data:',
        'tel:1',
      ),
      fc.constantFrom(
        '*',
        '**',
        '_',
        '~~',
        '`',
        '```',
        '\\',
        '# ',
        '> ',
        '- ',
        '1. ',
        '---',
        '\n',
        '\n\n',
        '    ',
        '\t',
      ),
      fc.constantFrom('https://a.ru/?a=1&b', 'www.a.ru', 'a@b.ru', 'mailto:', 'xn--', '«ёлочки»', '🎄', 'слово', ' '),
      fc.string({ unit: 'binary', maxLength: 20 }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
        const text = pieces.join('');
        expect(textOf(htmlOf(text))).not.toMatch(/[<>]/);
        expect(plainTextOf(text)).toBeTypeOf('string');
      }),
      { numRuns: 2_000 },
    );
  });

  test('takes no longer than what is meant well', () => {
    const long = (unit: string): string => unit.repeat(Math.ceil(10_000 / unit.length)).slice(0, 10_000);
    const units = [
      ...['[', '![', '[a](', '[a](<', '](', '[](http://a)', '[a][', '[[a](b)', '<', '<http://a', '<a@b', '(', '"'],
      ...['*', '**a', 'a**', '*a_', '_a*', '*a**', '~~', '~~a', '~', '`', '`a``b', '```\n', '\\', '&', '&#', '&amp;'],
      ...[
        '> ',
        '>',
        '> - ',
        '- ',
        '1. ',
        '* + - ',
        '  - a\n',
        '> a\n',
        '# ',
        '#',
        '---\n',
        '\n',
        ' ',
        '\t',
        'a\n',
        'a\n\n',
      ],
      ...[
        'http://',
        'http://a',
        'http://a/(',
        'http://a/[{(',
        'http://a.',
        'https://a.ru ',
        'www.',
        'www.a.ru ',
        'a@',
        'a@b.ru ',
      ],
      ...[
        'a.a',
        'mailto:',
        'mailto:a@',
        'xn--',
        'www.xn--',
        '--www.xn--',
        'http://xn--',
        '://',
        'http://[::',
        '!',
        '\0',
        '\ud83c',
      ],
      Array.from({ length: 140 }, (_, length) => '`'.repeat(length)).join(' '),
      Array.from({ length: 140 }, (_, length) => ' '.repeat(length)).join('- a\n'),
      Array.from({ length: 140 }, (_, length) => '*'.repeat(length)).join('a'),
    ];
    // The time of this thread alone, and as much of it as the same machine takes now: others may be busy beside it.
    const leastOf = (text: string) =>
      Math.min(...[1, 2, 3].map(() => elapsed(() => [htmlOf(text), plainTextOf(text)])));
    const wellMeant = leastOf(
      long('Завтра **в десять** приходите с [формой](https://a.ru/b), *пожалуйста*.\n\n- раз\n- два\n\n'),
    );
    const slow = units.flatMap((unit) => {
      const text = long(unit);
      const best = leastOf(text);
      return best > 10 * wellMeant ? [{ unit: unit.slice(0, 20), best, wellMeant }] : [];
    });
    expect(slow).toEqual([]);
  });
});

/** Milliseconds of the processor. */
function elapsed(work: () => unknown): number {
  const start = process.threadCpuUsage();
  work();
  const { user, system } = process.threadCpuUsage(start);
  return (user + system) / 1000;
}
