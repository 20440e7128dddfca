import { startInspector } from '../../src/inspection/inspector.ts';

/** A server, as far as inspections are concerned: `node inspecting.ts <path> <preview's path>` inspects one picture. */
const [path = '', previewPath = ''] = process.argv.slice(2);
await startInspector({ timeoutMs: 60_000 }).inspect({ path, name: 'a.png', previewPath });
