#!/usr/bin/env node
// The size of the thread pool is read once, when it is first used; loading an ES module already uses it (on Node 20), so
// this file is CommonJS. LevelDB, fsync and DNS share the pool: with the default of 4 threads one slow disk or resolver
// holds up everything else.
process.env['UV_THREADPOOL_SIZE'] = String(Math.max(16, Number(process.env['UV_THREADPOOL_SIZE']) || 0));

void import('./main.ts');
