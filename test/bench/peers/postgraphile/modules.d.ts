/** As much of PostGraphile and pg as the bench uses: they are installed when it runs, and checked when they are not. */
declare module 'pg' {
  export class Pool {
    constructor(options: { connectionString: string | undefined; max: number });
    query(query: { name: string; text: string; values: readonly unknown[] }): Promise<{
      rows: { user_id: string }[];
    }>;
  }
}

declare module 'postgraphile' {
  import type { Server } from 'node:http';

  interface RequestContext {
    readonly node?: { readonly req: { readonly headers: Readonly<Record<string, unknown>> } };
  }
  interface Preset {
    readonly extends: readonly object[];
    readonly plugins: readonly object[];
    readonly disablePlugins: readonly string[];
    readonly pgServices: readonly object[];
    readonly grafserv: { readonly graphqlPath: string; readonly graphiql: boolean; readonly watch: boolean };
    readonly grafast: { context(request: RequestContext): Promise<object> };
  }
  type Grafserv = (config: object) => { addTo(server: Server): Promise<void> };
  export function postgraphile(preset: Preset): {
    getSchema(): Promise<unknown>;
    createServ(grafserv: Grafserv): ReturnType<Grafserv>;
  };
}

declare module 'postgraphile/adaptors/pg' {
  import type { Pool } from 'pg';
  export function makePgService(options: { pool: Pool; schemas: readonly string[] }): object;
}

declare module 'postgraphile/grafserv/node' {
  import type { Server } from 'node:http';
  export function grafserv(config: object): { addTo(server: Server): Promise<void> };
}

declare module 'postgraphile/presets/amber' {
  export const PostGraphileAmberPreset: object;
}
