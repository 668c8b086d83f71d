/** A setting that nobody would miss until a proxy with a thousand services is measured (docs/performance.md). */
import { expect, test } from 'vitest';

class Probe {
  readonly value: number;
  readonly wasThere: boolean;

  constructor() {
    this.wasThere = 'value' in this;
    this.value = 0.5;
  }
}

test('a field of a class is not there before it has a value (useDefineForClassFields)', () => {
  expect(new Probe()).toEqual({ wasThere: false, value: 0.5 });
});
