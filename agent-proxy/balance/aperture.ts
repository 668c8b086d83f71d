/**
 * `aperture`: the power of two choices among a few of the instances, as many as the load needs, so that a client with little
 * traffic keeps few connections. The width follows a moving average of the requests on their way.
 */
import { Ema } from '../resilience/ema.ts';
import type { Instance, InstanceListener } from './instance.ts';
import { hasLessLoad } from './p2c.ts';
import type { LoadBalancerParams } from './params.ts';
import { PowerOfTwo } from './power-of-two.ts';
import type { Siblings } from './siblings.ts';

type ApertureParams = Extract<LoadBalancerParams, { kind: 'aperture' }>;

export class Aperture extends PowerOfTwo implements InstanceListener {
  private readonly params: ApertureParams;
  private readonly average: Ema;
  private outstanding = 0;
  private wanted: number;

  constructor(siblings: Siblings, params: ApertureParams) {
    super(siblings, params.maxEffort);
    this.params = params;
    this.average = new Ema(params.smoothWindowMs);
    this.wanted = params.minAperture;
  }

  override add(instance: Instance): void {
    super.add(instance);
    instance.listener = this;
    this.outstanding += instance.inflight;
    // Anywhere, so that a new instance gets in as easily as an old one.
    const { instances } = this;
    this.swap(instance.slot, Math.floor(this.siblings.random() * instances.length));
  }

  override remove(instance: Instance): void {
    super.remove(instance);
    instance.listener = null;
    this.outstanding -= instance.inflight;
  }

  began(_instance: Instance, now: number): void {
    this.outstanding += 1;
    this.adjust(now);
  }

  released(_instance: Instance, now: number): void {
    this.outstanding -= 1;
    this.adjust(now);
  }

  gateChanged(): void {
    // What is out of use leaves the aperture when it is drawn.
  }

  override width(): number {
    return Math.min(Math.max(this.wanted, this.params.minAperture, 1), this.instances.length);
  }

  protected override prefers(b: Instance, a: Instance): boolean {
    return hasLessLoad(b, a);
  }

  /** Another one, from outside, takes its place. */
  protected override unavailable({ slot }: Instance): void {
    const width = this.width();
    const outside = this.instances.length - width;
    if (slot < width && outside > 0) this.swap(slot, width + Math.floor(this.siblings.random() * outside));
  }

  private adjust(now: number): void {
    const load = this.average.update(now, this.outstanding) / this.width();
    if (load >= this.params.highLoad && this.wanted < this.instances.length) this.wanted += 1;
    else if (load <= this.params.lowLoad && this.wanted > this.params.minAperture) this.wanted -= 1;
  }
}
