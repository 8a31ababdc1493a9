/** The thread behind splitter.ts: bodies in, one spool file at a time out. Answers come in the order of the requests. */
import { parentPort } from 'node:worker_threads';
import { BadBody } from './split.ts';
import { splitCbor } from './split-cbor.ts';
import { splitJson } from './split-json.ts';
import type { SplitterAnswer, SplitterRequest } from './splitter.ts';
import { SpoolWriter } from './spool.ts';

let spool: SpoolWriter | undefined;

function carryOut(request: SplitterRequest): SplitterAnswer {
  switch (request.kind) {
    case 'split': {
      const open = () => (spool ??= new SpoolWriter(request.path));
      const splitBody = request.encoding === 'cbor' ? splitCbor : splitJson;
      const { body, length } = request;
      const split = splitBody(Buffer.from(body, 0, length), open, request);
      return { kind: 'split', split, spooled: { rows: spool?.rows ?? 0, bytes: spool?.bytes ?? 0 }, body };
    }
    case 'finish': {
      const finished = spool ?? new SpoolWriter(request.path);
      spool = undefined;
      finished.close();
      return { kind: 'finished' };
    }
    case 'abandon': {
      spool?.abandon();
      spool = undefined;
      return { kind: 'finished' };
    }
  }
}

parentPort!.on('message', (request: SplitterRequest) => {
  let answer: SplitterAnswer;
  try {
    answer = carryOut(request);
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException;
    answer = { kind: error instanceof BadBody ? 'bad_body' : 'failed', why: message, code };
  }
  parentPort!.postMessage(answer, answer.kind === 'split' ? [answer.body] : []);
});
