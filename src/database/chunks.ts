/** How many rows one INSERT may carry: Postgres takes 65,535 parameters in a statement, and no table has 40 columns. */
const rowsPerInsert = 1_500;

/** The rows of a large insert, in parts that fit into one statement each. */
export function* inserts<Row>(rows: readonly Row[]): Generator<Row[]> {
  for (let from = 0; from < rows.length; from += rowsPerInsert) yield rows.slice(from, from + rowsPerInsert);
}
