/**
 * The ids out of `GET /v2/apps`, read as the document arrives. It has several kilobytes for each app, of which the id is
 * all that is needed: parsing it in one go would hold up requests, and the memory.
 */

/** Depths at which something is looked at: keys of the document, and of each app. */
const ROOT = 1;
const APP = 3;
const MAX_TEXT_BYTES = 4096;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const COMMA = 0x2c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

export class AppIdScanner {
  private readonly ids = new Set<string>();
  private depth = 0;
  private inText = false;
  private escaped = false;
  /** The text on its way as JSON has it, null where nobody needs it. */
  private text: string | null = null;
  /** Whether the next text at a depth is a value. */
  private rootValue = false;
  private appValue = false;
  private rootKey = '';
  private appKey = '';
  private hasApps = false;
  private inApps = false;

  write(chunk: Buffer): void {
    let start = 0;
    for (let index = 0; index < chunk.length; index += 1) {
      const byte = chunk[index] ?? 0;
      if (!this.inText) {
        if (byte === QUOTE) {
          this.inText = true;
          this.text = this.depth === ROOT || (this.inApps && this.depth === APP) ? '' : null;
          start = index + 1;
        } else {
          this.structure(byte);
        }
      } else if (this.escaped) {
        this.escaped = false;
      } else if (byte === BACKSLASH) {
        this.escaped = true;
      } else if (byte === QUOTE) {
        this.append(chunk, start, index);
        this.inText = false;
        if (this.text !== null) this.textEnded(this.text);
      }
    }
    if (this.inText) this.append(chunk, start, chunk.length);
  }

  /** The ids without leading slash, in lower case. Null when it was no whole document with a list of apps. */
  end(): ReadonlySet<string> | null {
    return this.hasApps && this.depth === 0 && !this.inText ? this.ids : null;
  }

  private append(chunk: Buffer, from: number, to: number): void {
    if (this.text === null) return;
    this.text += chunk.toString('latin1', from, to);
    if (this.text.length > MAX_TEXT_BYTES) this.text = null;
  }

  private structure(byte: number): void {
    switch (byte) {
      case COLON:
        this.setValue(true);
        break;
      case COMMA:
        this.setValue(false);
        break;
      case OPEN_BRACE:
      case OPEN_BRACKET:
        if (byte === OPEN_BRACKET && this.depth === ROOT && this.rootValue && this.rootKey === 'apps') {
          this.inApps = true;
          this.hasApps = true;
        }
        this.depth += 1;
        this.setValue(false);
        break;
      case CLOSE_BRACE:
      case CLOSE_BRACKET:
        this.depth -= 1;
        if (this.depth === ROOT) this.inApps = false;
        break;
    }
  }

  private setValue(value: boolean): void {
    if (this.depth === ROOT) this.rootValue = value;
    else if (this.depth === APP) this.appValue = value;
  }

  private textEnded(text: string): void {
    if (this.depth === ROOT) {
      if (!this.rootValue) this.rootKey = text;
    } else if (!this.appValue) {
      this.appKey = text;
    } else if (this.appKey === 'id') {
      // Ids have letters, digits, dots, dashes and slashes; of escapes only that of a slash is any use.
      const id = text.replaceAll('\\/', '/').replace(/^\//, '').toLowerCase();
      if (id !== '') this.ids.add(id);
    }
  }
}
