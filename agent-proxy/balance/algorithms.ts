/** The algorithms by the name that they have in a configuration. */
import { Aperture } from './aperture.ts';
import { Ewma } from './ewma.ts';
import { Heap } from './heap.ts';
import { LeastLoaded } from './p2c.ts';
import type { Algorithm } from './picker.ts';
import { RoundRobin } from './round-robin.ts';
import type { Siblings } from './siblings.ts';

export function algorithmFor(siblings: Siblings): Algorithm {
  const { loadBalancer } = siblings.params;
  switch (loadBalancer.kind) {
    case 'p2c':
      return new LeastLoaded(siblings, loadBalancer.maxEffort);
    case 'ewma':
      return new Ewma(siblings, loadBalancer.maxEffort);
    case 'aperture':
      return new Aperture(siblings, loadBalancer);
    case 'heap':
      return new Heap(siblings);
    case 'roundRobin':
      return new RoundRobin(siblings, loadBalancer.maxEffort);
  }
}
