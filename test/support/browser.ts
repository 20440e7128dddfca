import { existsSync } from 'node:fs';
import type { BrowserContext, Locator, Page } from 'playwright-core';

const usualPlaces = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/bin/google-chrome-stable',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/** This machine's Chromium: the one that `CHROMIUM_PATH` names, or one where Linux and macOS keep it. */
export function findBrowser(): string | null {
  return process.env.CHROMIUM_PATH || (usualPlaces.find((path) => existsSync(path)) ?? null);
}

/** GraphiQL in a headless Chromium of its own, used as a person does: by its tabs, its menu and its editors. */
export class Graphiql implements AsyncDisposable {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Every address that the browser asked, pages, workers and sockets alike. */
  readonly requested: string[] = [];
  /** What the page complained about. */
  readonly complaints: string[] = [];

  private constructor(page: Page) {
    this.page = page;
    this.context = page.context();
    this.context.on('request', (request) => this.requested.push(request.url()));
    page.on('websocket', (socket) => this.requested.push(socket.url()));
    page.on('pageerror', (error) => this.complaints.push(String(error)));
    page.on('console', (message) => {
      if (message.type() === 'error') this.complaints.push(message.text());
    });
  }

  static async open(url: string): Promise<Graphiql> {
    const executablePath = findBrowser();
    if (!executablePath) throw new Error('There is no Chromium: install one, or name it in CHROMIUM_PATH.');
    const { chromium } = await import('playwright-core');
    const browser = await chromium.launch({ executablePath, args: ['--disable-gpu', '--disable-quic'] });
    try {
      const graphiql = new Graphiql(await browser.newPage({ viewport: { width: 1280, height: 800 }, locale: 'en' }));
      graphiql.page.setDefaultTimeout(60_000);
      await graphiql.page.goto(url);
      await graphiql.#executeButton.waitFor();
      return graphiql;
    } catch (error) {
      await browser.close();
      throw error;
    }
  }

  get #executeButton(): Locator {
    return this.page.getByRole('button', { name: /^(Execute|Stop) query/ });
  }

  /** The pane holds the headers' editor too, hidden. */
  get #variables(): Locator {
    return this.page.getByRole('region', { name: 'Variables' }).locator('.graphiql-editor:not(.hidden) .view-lines');
  }

  /** The names of the tabs, from left to right. */
  async tabs(): Promise<string[]> {
    return this.page.getByRole('tab').allInnerTexts();
  }

  async selectTab(name: string): Promise<void> {
    // By the keyboard: tabs glide while the page settles, from under the mouse.
    await this.page.getByRole('tab').getByRole('button', { name, exact: true }).press('Enter');
    await this.page.getByRole('tab', { name, selected: true }).waitFor();
  }

  /** The variables as they stand. */
  async variables(): Promise<string> {
    return textOf(this.#variables);
  }

  /** Writes the variables anew. */
  async setVariables(variables: object): Promise<void> {
    await this.#variables.click();
    await this.page.keyboard.press('ControlOrMeta+A');
    // Pasted as a person would: what is typed, the editor completes with brackets of its own.
    const text = JSON.stringify(JSON.stringify(variables, null, 2));
    await this.page.evaluate(`{
      const clipboardData = new DataTransfer();
      clipboardData.setData('text/plain', ${text});
      document.activeElement.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true }));
    }`);
  }

  /** Runs one of the document's operations by the menu that the execute button opens. */
  async execute(operationName: string): Promise<void> {
    await this.#executeButton.click();
    await this.page.getByRole('menuitem', { name: operationName, exact: true }).click();
  }

  /** What stands in the result pane: the lines in view. */
  async result(): Promise<string> {
    return textOf(this.page.getByRole('region', { name: 'Result Window' }).locator('.view-lines'));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.context.browser()?.close();
  }
}

/** The editors draw spaces that cannot break. */
async function textOf(editor: Locator): Promise<string> {
  return ((await editor.textContent()) ?? '').replaceAll('\u00a0', ' ');
}
