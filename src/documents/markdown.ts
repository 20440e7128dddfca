import markdownIt, { type Token } from 'markdown-it';
import sanitize from 'sanitize-html';

/**
 * The Markdown in which people write: paragraphs with their line breaks, bold, italic, strikethrough, headings, lists, quotes,
 * code between backticks, links and rules. What looks like HTML is text. There is no code by indentation and no heading by
 * underlining, which people make without meaning it, and no links by reference.
 */
const rules = [
  ...['paragraph', 'heading', 'list', 'blockquote', 'fence', 'hr'],
  ...['newline', 'escape', 'entity', 'backticks', 'emphasis', 'strikethrough', 'link', 'autolink', 'linkify'],
  ...['text_join', 'balance_pairs', 'fragments_join'],
];

/** How deep quotes, lists and emphasis may lie in each other: each takes of the stack. Blocks that lie deeper are left out. */
const maxNesting = 20;

const rel = 'noopener noreferrer nofollow';

const parser = markdownIt('zero', { linkify: true, breaks: true, maxNesting }).enable(rules);
parser.validateLink = (url) => /^(https?:\/\/|mailto:|tel:)./i.test(url);

// A name in Punycode is found like any other. Looked for as a kind of its own, as it comes, it may be read in two ways, and ten such
// names in a row in a thousand: 10,000 characters of `www.xn--` took 0.6 s.
parser.linkify.re.get_xn = () => /(?!)/;

// Addresses without a scheme are links only after `www.`: readme.md is none.
parser.linkify.add('www.', {
  validate: (text, position, { re }) => {
    const address = re.get_relative_proto_validator();
    address.lastIndex = position;
    return address.exec(text)?.[0].length ?? 0;
  },
  normalize: (match) => {
    match.url = `http://${match.url}`;
  },
});

// Before `text_join`: until then an exclamation mark that was escaped can be told from one that makes an image.
parser.core.ruler.before('text_join', 'homeroom', ({ tokens, Token }) => {
  for (const token of tokens) {
    if (token.type === 'inline') token.children = withSafeLinks(token.children ?? [], Token);
    // A post must not be louder than the page that it is on.
    if (token.type.startsWith('heading_')) token.tag = { h1: 'h3', h2: 'h4' }[token.tag] ?? 'h5';
  }
});

/**
 * Links that open elsewhere and do not tell where from; one without an address is its text. An image is a link to it: were it
 * loaded, it would tell a stranger who reads this.
 */
function withSafeLinks(tokens: readonly Token[], TextToken: typeof Token): Token[] {
  const safe: Token[] = [];
  let href = '';
  for (const [index, token] of tokens.entries()) {
    const opens = token.type === 'link_open';
    if (opens) {
      href = String(token.attrGet('href') ?? '');
      token.attrs = [
        ['href', href],
        ['rel', rel],
        ['target', '_blank'],
      ];
      const before = safe.at(-1);
      if (token.info !== 'auto' && before?.type === 'text') before.content = before.content.replace(/!$/, '');
    }
    if (href !== '' || !token.type.startsWith('link_')) safe.push(token);
    if (opens && tokens[index + 1]?.type === 'link_close') {
      const address = new TextToken('text', '', 0);
      address.content = addressOf(href);
      safe.push(address);
    }
  }
  return safe;
}

/** An address as people read it. */
const addressOf = (href: string): string => parser.normalizeLinkText(href).replace(/^(mailto|tel):/i, '');

/** A second wall: were the parser to let something through, it ends here. */
const allowed: sanitize.IOptions = {
  allowedTags: [
    'p',
    'br',
    'strong',
    'em',
    's',
    'h3',
    'h4',
    'h5',
    'ul',
    'ol',
    'li',
    'blockquote',
    'code',
    'pre',
    'a',
    'hr',
  ],
  allowedAttributes: {
    a: ['href', { name: 'rel', multiple: true, values: rel.split(' ') }, { name: 'target', values: ['_blank'] }],
    ol: ['start'],
  },
  allowedSchemes: ['http', 'https', 'mailto', 'tel'],
  allowProtocolRelative: false,
};

/**
 * Sanitized HTML, ready to be put into a page: paragraphs, headings of the third to fifth rank, lists, quotes, code, and links that
 * open in a new tab. Nothing in it is loaded from anywhere. 10,000 characters take 20 ms at most, and become 250,000 at most.
 */
export function htmlOf(markdown: string): string {
  return sanitize(parser.render(markdown), allowed);
}

/**
 * The words alone, for previews, search and notifications: a line for each line and paragraph, list items after `•` or their
 * number, links as their text, followed by the address in brackets when it is another.
 */
export function plainTextOf(markdown: string): string {
  const lines: string[] = [];
  /** The number of the next item of each list around; null where items are not numbered. */
  const lists: (number | null)[] = [];
  let marker = '';
  for (const token of parser.parse(markdown, {})) {
    if (token.type === 'bullet_list_open') lists.push(null);
    if (token.type === 'ordered_list_open') lists.push(Number(token.attrGet('start') ?? 1));
    if (token.type.endsWith('_list_close')) lists.pop();
    if (token.type === 'list_item_close') marker = '';
    if (token.type === 'list_item_open') {
      const number = lists.pop() ?? null;
      marker = number === null ? '• ' : `${number}. `;
      lists.push(number === null ? null : number + 1);
    }
    if (token.type === 'inline' || token.type === 'fence') {
      lines.push(marker + (token.children ? wordsOf(token.children) : token.content.trimEnd()));
      // An item may have several paragraphs.
      marker = '';
    }
  }
  return lines.join('\n');
}

function wordsOf(tokens: readonly Token[]): string {
  let words = '';
  let linkStart = 0;
  let address = '';
  for (const token of tokens) {
    if (token.type === 'softbreak' || token.type === 'hardbreak') words += '\n';
    if (token.type === 'link_open') {
      linkStart = words.length;
      address = addressOf(String(token.attrGet('href')));
    }
    if (token.type === 'link_close' && bare(words.slice(linkStart)) !== bare(address)) words += ` (${address})`;
    words += token.content;
  }
  return words;
}

/** What an address and its shorter spelling have in common. */
const bare = (address: string): string => address.replace(/^(https?:\/\/|mailto:|tel:)/i, '').replace(/\/$/, '');
