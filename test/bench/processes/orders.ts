/** How processes of the bench tell one another what to do: named orders with one argument, each answered once, over IPC. */
import type { ChildProcess } from 'node:child_process';

/** The orders that a process obeys. The argument's type is checked where an order is given. */
export type Orders = Readonly<Record<string, (argument: never) => unknown>>;

interface Order {
  readonly order: number;
  readonly name: string;
  readonly argument: unknown;
}

interface Answer {
  readonly answer: number;
  readonly value?: unknown;
  readonly failure?: string;
}

/** Obeys orders until whoever gives them is gone, and then ends. */
export function obey(orders: Orders): void {
  process.on('message', async (message: Order) => {
    if (typeof message !== 'object' || !('order' in message)) return;
    const answer = (rest: Omit<Answer, 'answer'>) => process.send?.({ answer: message.order, ...rest });
    try {
      // Boundary: `Giver.order` has checked the argument against this very order's type.
      const obeyed = orders[message.name] as ((argument: unknown) => unknown) | undefined;
      if (!obeyed) throw new Error(`there is no order ${message.name}`);
      answer({ value: await obeyed(message.argument) });
    } catch (error) {
      answer({ failure: error instanceof Error ? String(error.stack) : String(error) });
    }
  });
  process.once('disconnect', () => process.exit(0));
}

/** Gives orders to one process. */
export class Giver<Given extends Orders> {
  readonly #process: ChildProcess;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #count = 0;

  constructor(process: ChildProcess) {
    this.#process = process;
    process.on('message', (message: Answer) => {
      if (typeof message !== 'object' || !('answer' in message)) return;
      this.#waiting.get(message.answer)?.(message);
      this.#waiting.delete(message.answer);
    });
    process.once('exit', (code, signal) => {
      for (const [answer, settle] of this.#waiting) settle({ answer, failure: `the process ended: ${signal ?? code}` });
      this.#waiting.clear();
    });
  }

  async order<Name extends keyof Given & string>(
    name: Name,
    ...[argument]: Parameters<Given[Name]>
  ): Promise<Awaited<ReturnType<Given[Name]>>> {
    const order = ++this.#count;
    const answer = await new Promise<Answer>((resolve) => {
      this.#waiting.set(order, resolve);
      this.#process.send({ order, name, argument } satisfies Order);
    });
    if (answer.failure !== undefined) throw new Error(`${name}: ${answer.failure}`);
    // Boundary: JSON of what the order of this type returned.
    return answer.value as Awaited<ReturnType<Given[Name]>>;
  }
}
