/**
 * One clock for all processes of the bench: CLOCK_MONOTONIC in milliseconds, so that what one process sends and another
 * receives can be subtracted. Read as it is: an offset to another clock would hold what came between the two readings.
 */
export const now = (): number => Number(process.hrtime.bigint()) / 1e6;
