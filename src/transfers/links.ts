import { z } from 'zod';
import type { FileLink } from '../graphql/context.ts';
import { uuid } from '../graphql/ids.ts';
import { Tickets } from '../tickets.ts';

const validForS = 5 * 60;

const claims = z.object({
  sub: z.string().regex(uuid),
  sid: z.string().regex(uuid),
  variant: z.enum(['ORIGINAL', 'PREVIEW']),
});

/** Paths under which files may be fetched: signed, for one session, for a few minutes. */
export class FileLinks {
  readonly #tickets: Tickets<z.output<typeof claims>>;

  private constructor(tickets: Tickets<z.output<typeof claims>>) {
    this.#tickets = tickets;
  }

  static async with(secret: Buffer): Promise<FileLinks> {
    return new FileLinks(await Tickets.signedWith(secret, claims, validForS));
  }

  async pathOf({ fileId, sessionId, variant }: FileLink): Promise<string> {
    const { token } = await this.#tickets.issue({ sub: fileId, sid: sessionId, variant });
    return `/files/${token}`;
  }

  /** What a token is a link to; null: it is not from here, or too old. */
  async read(token: string): Promise<FileLink | null> {
    const said = await this.#tickets.read(token);
    return said && { fileId: said.sub, sessionId: said.sid, variant: said.variant };
  }
}
