/**
 * One clock for all processes of the bench: CLOCK_MONOTONIC in milliseconds, so that what one process sends and another
 * receives can be subtracted.
 */
const offset = Number(process.hrtime.bigint()) / 1e6 - performance.now();

export const now = (): number => performance.now() + offset;
