import { argv, stdin, stdout } from 'node:process';
import { openDatabase } from '../open-database.ts';

/** A process of its own that holds a database open until its input ends. */
const database = await openDatabase(argv[2] ?? '', { kind: 'log' });
stdout.write('open\n');
stdin.resume();
stdin.on('end', () => database.close());
