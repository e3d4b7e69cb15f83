import type { z } from 'zod';
import type { Log } from '../observability/log.ts';
import { DatabaseFailure } from './database-failure.ts';
import { ROW_SHAPES, type Row, type RowTable } from './row-shapes.ts';

/** Form of all ids that the service makes; other text is not logged. */
const ID = /^[A-Za-z0-9_-]{1,80}$/;

/** Failure because a required row is invalid. */
export class UnreadableRow extends DatabaseFailure {
  /** Table and column, such as `sites.name`. */
  readonly field: string;

  constructor(field: string, record: string | undefined) {
    const of = record === undefined ? '' : ` of ${record}`;
    super('ROW_UNREADABLE', undefined, `The database has something in ${field}${of} that cannot be read.`);
    this.field = field;
  }
}

/** Validates every row that is read from the database. Invalid ones are named in the log. */
export class RowCheck {
  readonly #log: Pick<Log, 'error'> | undefined;

  constructor(log: Pick<Log, 'error'> | undefined) {
    this.#log = log;
  }

  /** Returns the validated row, or the error that says why it is invalid. */
  read<Table extends RowTable>(table: Table, row: Unchecked<Row<Table>>): Row<Table> | UnreadableRow {
    const shape: z.ZodType<Row<Table>> = ROW_SHAPES[table] as never;
    const parsed = shape.safeParse(row);
    if (parsed.success) return parsed.data;
    const { id, site_id: siteId } = row as { readonly id?: unknown; readonly site_id?: unknown };
    const record = [id, siteId].find((name) => typeof name === 'string' && ID.test(name)) as string | undefined;
    const field = `${table}.${String(parsed.error.issues[0]!.path[0])}`;
    this.#log?.error({ field, record }, 'a row of the database cannot be read, and is left out');
    return new UnreadableRow(field, record);
  }

  /** Returns the rows of a table without the invalid ones. */
  readable<Table extends RowTable>(table: Table, rows: readonly Unchecked<Row<Table>>[]): readonly Row<Table>[] {
    return rows.flatMap((row) => {
      const read = this.read(table, row);
      return read instanceof UnreadableRow ? [] : [read];
    });
  }

  /** Returns the validated row. Throws `UnreadableRow`. */
  one<Table extends RowTable>(table: Table, row: Unchecked<Row<Table>>): Row<Table> {
    const read = this.read(table, row);
    if (read instanceof UnreadableRow) throw read;
    return read;
  }
}

/** Row as read, before it is validated. */
type Unchecked<Checked> = { readonly [Column in keyof Checked]: unknown };
