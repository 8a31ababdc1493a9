import { describe, expect, test } from 'vitest';
import { Failure } from '../base/base.ts';
import { plain } from './paint.ts';
import { reportOf, reportText } from './report.ts';

describe('a failure', () => {
  test('is four lines: what happened, why, how to fix it, where to read on', () => {
    const failure = new Failure('there is no stream “clicks”', {
      code: 'stream.not_found',
      fault: 'user',
      why: 'the endpoint knows these: events',
      hint: 'name one of them with --stream',
      docs: 'docs/reference/configuration.md#streamname',
    });
    expect(reportText(reportOf(failure), plain)).toBe(
      [
        'lakeward: there is no stream “clicks” [stream.not_found]',
        '  why   the endpoint knows these: events',
        '  fix   name one of them with --stream',
        '  read  docs/reference/configuration.md#streamname',
        '',
      ].join('\n'),
    );
  });

  test('whose reason has lines keeps them under each other, so that a mark stays where it points', () => {
    const why = 'no column "nope"\n\nLINE 1: select nope\n               ^';
    const failure = new Failure('the query did not run', { code: 'query.failed', fault: 'user', why });
    expect(reportText(reportOf(failure), plain).split('\n').slice(1, 4)).toEqual([
      '  why   no column "nope"',
      '        LINE 1: select nope',
      '                       ^',
    ]);
  });

  test('that knows little still says something in every line, its cause first', () => {
    const cause = new Error('connect ECONNREFUSED 127.0.0.1:4567');
    const report = reportOf(
      new Failure('the stream does not answer', { code: 's.x', fault: 'service', retry: 'backoff', cause }),
    );
    expect(report).toMatchObject({ why: cause.message, exit: 5 });
    expect(report.fix).toContain('run the same command again');
    expect(reportText(report, plain)).not.toContain('at ');
  });
});

describe('an error that nobody foresaw', () => {
  test('is our bug: exit 70, the stack, and a request to report it', () => {
    const report = reportOf(new TypeError('x is not a function'));
    expect(report).toMatchObject({ code: 'cli.bug', exit: 70, message: 'x is not a function' });
    expect(report.fix).toContain('please report it');
    expect(reportText(report, plain)).toContain('report.test.ts');
  });

  test('may be anything that can be thrown', () => {
    expect(reportOf('text')).toMatchObject({ message: 'text', exit: 70 });
    expect(reportOf(undefined)).toMatchObject({ message: 'undefined', exit: 70 });
  });

  test('is no bug when the folder that was named is a file', () => {
    const error = Object.assign(new Error('ENOTDIR: not a directory'), { code: 'ENOTDIR' });
    expect(reportOf(error)).toMatchObject({
      code: 'system.enotdir',
      exit: 1,
      fix: 'name a folder with --dir',
    });
  });

  test('is no bug when the machine is full or refuses', () => {
    const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    expect(reportOf(full)).toMatchObject({ code: 'system.enospc', why: 'the disk is full', exit: 1 });
  });
});

test('a failure that is our own fault is reported as a bug under its own code', () => {
  const failure = new Failure('the ledger does not balance', {
    code: 'tables.unbalanced',
    fault: 'ourselves',
  });
  expect(reportOf(failure)).toMatchObject({ code: 'tables.unbalanced', exit: 70 });
  expect(reportOf(failure).stack).toContain('the ledger does not balance');
});
