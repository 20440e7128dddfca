import type { Audience } from '../log/reader.ts';
import type { Locale } from '../texts.ts';
import type { Viewer } from '../viewer.ts';
import { type Asking, Context, type Loaders, type Services } from './context.ts';

/** Thrown to a resolver that asks who looks where nobody in particular does. */
class NobodyLooks extends Error {
  override readonly name = 'NobodyLooks';
}

/**
 * The world of an event that is executed once for a whole audience. There is no viewer in it: asking for one throws, and is
 * remembered even if the resolver catches that. A rule is asked for the person with the least rights in the audience.
 */
export class SharedContext extends Context {
  /** A field asked who looks and is not marked `perViewer`: the result must not be shown to anybody. */
  misused = false;
  /** A rule does not hold for everybody in the audience: the result is not for sharing. */
  notForAll = false;
  readonly #audienceId: string;
  readonly #least: Viewer | null;

  constructor(services: Services, loaders: Loaders, audience: Audience) {
    super(services, loaders);
    this.#audienceId = audience.id;
    this.#least = services.leastOf(audience);
  }

  get viewer(): Viewer {
    return this.#refuse();
  }

  get maybeViewer(): Viewer | null {
    return this.#refuse();
  }

  get asking(): Asking {
    return this.#refuse();
  }

  get locale(): Locale {
    return this.#refuse();
  }

  become(): void {
    this.#refuse();
  }

  sees<Row>(canSee: (viewer: Viewer, row: Row) => boolean, row: Row): boolean {
    return this.#forAll(this.#least !== null && canSee(this.#least, row));
  }

  async belongs(audienceId: string, _alone: () => Promise<boolean>, byAll?: () => Promise<boolean>): Promise<boolean> {
    return this.#forAll(audienceId === this.#audienceId && (byAll === undefined || (await byAll())));
  }

  #forAll(seen: boolean): boolean {
    if (!seen) this.notForAll = true;
    return seen;
  }

  #refuse(): never {
    this.misused = true;
    throw new NobodyLooks('the field depends on who looks: mark it perViewer');
  }
}
