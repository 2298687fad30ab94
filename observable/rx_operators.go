package observable

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/reactivex/rxgo/v2"
)

// The operators of RxGo that return an observable, as steps of a chain.

func (c *chain) BufferWithCount(count int, o ...rxgo.Option) rxgo.Observable {
	return c.then("BufferWithCount", o, func(rx rxgo.Observable, o ...rxgo.Option) rxgo.Observable {
		return rx.BufferWithCount(count, o...)
	})
}

func (c *chain) BufferWithTime(timespan rxgo.Duration, o ...rxgo.Option) rxgo.Observable {
	return c.then("BufferWithTime", o, func(rx rxgo.Observable, o ...rxgo.Option) rxgo.Observable {
		return rx.BufferWithTime(timespan, o...)
	})
}

func (c *chain) BufferWithTimeOrCount(timespan rxgo.Duration, count int, o ...rxgo.Option) rxgo.Observable {
	return c.then("BufferWithTimeOrCount", o, func(rx rxgo.Observable, o ...rxgo.Option) rxgo.Observable {
		return rx.BufferWithTimeOrCount(timespan, count, o...)
	})
}

func (c *chain) Debounce(timespan rxgo.Duration, o ...rxgo.Option) rxgo.Observable {
	return c.then("Debounce", o, func(rx rxgo.Observable, o ...rxgo.Option) rxgo.Observable {
		return rx.Debounce(timespan, o...)
	})
}

func (c *chain) DefaultIfEmpty(defaultValue any, o ...rxgo.Option) rxgo.Observable {
	return c.then("DefaultIfEmpty", o, func(rx rxgo.Observable, o ...rxgo.Option) rxgo.Observable {
		return rx.DefaultIfEmpty(defaultValue, o...)
	})
}

func (c *chain) Distinct(apply rxgo.Func, o ...rxgo.Option) rxgo.Observable {
	return c.then("Distinct", o, func(rx rxgo.Observable, o ...rxgo.Option) rxgo.Observable {
		return rx.Distinct(apply, o...)
	})
}

func (c *chain) DistinctUntilChanged(apply rxgo.Func, o ...rxgo.Option) rxgo.Observable {
	return c.then("DistinctUntilChanged", o, func(rx rxgo.Observable, o ...rxgo.Option) rxgo.Observable {
		return rx.DistinctUntilChanged(apply, o...)
	})
}

func (c *chain) Filter(apply rxgo.Predicate, o ...rxgo.Option) rxgo.Observable {
	return c.then("Filter", o, func(rx rxgo.Observable, o ...rxgo.Option) rxgo.Observable {
		return rx.Filter(apply, o...)
	})
}

func (c *chain) FlatMap(apply rxgo.ItemToObservable, o ...rxgo.Option) rxgo.Observable {
	return c.then("FlatMap", o, func(rx rxgo.Observable, o ...rxgo.Option) rxgo.Observable {
		return rx.FlatMap(apply, o...)
	})
}

func (c *chain) GroupBy(length int, distribution func(rxgo.Item) int, o ...rxgo.Option) rxgo.Observable {
	return c.then("GroupBy", o, func(rx rxgo.Observable, o ...rxgo.Option) rxgo.Observable {
		return rx.GroupBy(length, distribution, o...)
	})
}

func (c *chain) GroupByDynamic(distribution func(rxgo.Item) string, o ...rxgo.Option) rxgo.Observable {
	return c.then("GroupByDynamic", o, func(rx rxgo.Observable, o ...rxgo.Option) rxgo.Observable {
		return rx.GroupByDynamic(distribution, o...)
	})
}

func (c *chain) IgnoreElements(o ...rxgo.Option) rxgo.Observable {
	return c.then("IgnoreElements", o, func(rx rxgo.Observable, o ...rxgo.Option) rxgo.Observable {
		return rx.IgnoreElements(o...)
	})
}

func (c *chain) Map(apply rxgo.Func, o ...rxgo.Option) rxgo.Observable {
	return c.then("Map", o, func(rx rxgo.Observable, o ...rxgo.Option) rxgo.Observable {
		return rx.Map(apply, o...)
	})
}

func (c *chain) Marshal(marshaller rxgo.Marshaller, o ...rxgo.Option) rxgo.Observable {
	return c.then("Marshal", o, func(rx rxgo.Observable, o ...rxgo.Option) rxgo.Observable {
		return rx.Marshal(marshaller, o...)
	})
}

func (c *chain) OnErrorResumeNext(resumeSequence rxgo.ErrorToObservable, o ...rxgo.Option) rxgo.Observable {
	return c.then("OnErrorResumeNext", o, func(rx rxgo.Observable, o ...rxgo.Option) rxgo.Observable {
		return rx.OnErrorResumeNext(resumeSequence, o...)
	})
}

func (c *chain) OnErrorReturn(resumeFunc rxgo.ErrorFunc, o ...rxgo.Option) rxgo.Observable {
	return c.then("OnErrorReturn", o, func(rx rxgo.Observable, o ...rxgo.Option) rxgo.Observable {
		return rx.OnErrorReturn(resumeFunc, o...)
	})
}

func (c *chain) OnErrorReturnItem(resume any, o ...rxgo.Option) rxgo.Observable {
	return c.then("OnErrorReturnItem", o, func(rx rxgo.Observable, o ...rxgo.Option) rxgo.Observable {
		return rx.OnErrorReturnItem(resume, o...)
	})
}

func (c *chain) Repeat(count int64, frequency rxgo.Duration, o ...rxgo.Option) rxgo.Observable {
	return c.then("Repeat", o, func(rx rxgo.Observable, o ...rxgo.Option) rxgo.Observable {
		return rx.Repeat(count, frequency, o...)
	})
}

func (c *chain) Scan(apply rxgo.Func2, o ...rxgo.Option) rxgo.Observable {
	return c.then("Scan", o, func(rx rxgo.Observable, o ...rxgo.Option) rxgo.Observable {
		return rx.Scan(apply, o...)
	})
}

func (c *chain) Serialize(from int, identifier func(any) int, o ...rxgo.Option) rxgo.Observable {
	return c.then("Serialize", o, func(rx rxgo.Observable, o ...rxgo.Option) rxgo.Observable {
		return rx.Serialize(from, identifier, o...)
	}).drained()
}

func (c *chain) Skip(nth uint, o ...rxgo.Option) rxgo.Observable {
	return c.then("Skip", o, func(rx rxgo.Observable, o ...rxgo.Option) rxgo.Observable {
		return rx.Skip(nth, o...)
	})
}

func (c *chain) SkipWhile(apply rxgo.Predicate, o ...rxgo.Option) rxgo.Observable {
	return c.then("SkipWhile", o, func(rx rxgo.Observable, o ...rxgo.Option) rxgo.Observable {
		return rx.SkipWhile(apply, o...)
	})
}

func (c *chain) StartWith(iterable rxgo.Iterable, o ...rxgo.Option) rxgo.Observable {
	return c.then("StartWith", o, func(rx rxgo.Observable, o ...rxgo.Option) rxgo.Observable {
		return rx.StartWith(iterable, o...)
	}).drained()
}

func (c *chain) Take(nth uint, o ...rxgo.Option) rxgo.Observable {
	return c.then("Take", o, func(rx rxgo.Observable, o ...rxgo.Option) rxgo.Observable {
		return rx.Take(nth, o...)
	})
}

func (c *chain) TakeLast(nth uint, o ...rxgo.Option) rxgo.Observable {
	return c.then("TakeLast", o, func(rx rxgo.Observable, o ...rxgo.Option) rxgo.Observable {
		return rx.TakeLast(nth, o...)
	})
}

func (c *chain) TakeUntil(apply rxgo.Predicate, o ...rxgo.Option) rxgo.Observable {
	return c.then("TakeUntil", o, func(rx rxgo.Observable, o ...rxgo.Option) rxgo.Observable {
		return rx.TakeUntil(apply, o...)
	})
}

func (c *chain) TakeWhile(apply rxgo.Predicate, o ...rxgo.Option) rxgo.Observable {
	return c.then("TakeWhile", o, func(rx rxgo.Observable, o ...rxgo.Option) rxgo.Observable {
		return rx.TakeWhile(apply, o...)
	})
}

func (c *chain) TimeInterval(o ...rxgo.Option) rxgo.Observable {
	return c.then("TimeInterval", o, func(rx rxgo.Observable, o ...rxgo.Option) rxgo.Observable {
		return rx.TimeInterval(o...)
	})
}

func (c *chain) Timestamp(o ...rxgo.Option) rxgo.Observable {
	return c.then("Timestamp", o, func(rx rxgo.Observable, o ...rxgo.Option) rxgo.Observable {
		return rx.Timestamp(o...)
	})
}

func (c *chain) Unmarshal(unmarshaller rxgo.Unmarshaller, factory func() any, o ...rxgo.Option) rxgo.Observable {
	return c.then("Unmarshal", o, func(rx rxgo.Observable, o ...rxgo.Option) rxgo.Observable {
		return rx.Unmarshal(unmarshaller, factory, o...)
	})
}

func (c *chain) ZipFromIterable(iterable rxgo.Iterable, zipper rxgo.Func2, o ...rxgo.Option) rxgo.Observable {
	return c.then("ZipFromIterable", o, func(rx rxgo.Observable, o ...rxgo.Option) rxgo.Observable {
		return rx.ZipFromIterable(iterable, zipper, o...)
	})
}

func (c *chain) Join(
	rxgo.Func2, rxgo.Observable, func(any) time.Time, rxgo.Duration, ...rxgo.Option,
) rxgo.Observable {
	return c.refuse("Join", "it leaks goroutines; use operators.Zip or operators.CombineLatest")
}

func (c *chain) Retry(count int, shouldRetry func(error) bool, o ...rxgo.Option) rxgo.Observable {
	return c.again("Retry", o, func(rx rxgo.Observable, o ...rxgo.Option) rxgo.Observable {
		return rx.Retry(count, shouldRetry, o...)
	})
}

func (c *chain) SkipLast(uint, ...rxgo.Option) rxgo.Observable {
	return c.refuse("SkipLast", "it does what Take does; use operators.SkipLast")
}

func (c *chain) WindowWithCount(int, ...rxgo.Option) rxgo.Observable {
	return c.refuse("WindowWithCount", "it leaks a goroutine; use operators.WindowCount")
}

func (c *chain) WindowWithTime(rxgo.Duration, ...rxgo.Option) rxgo.Observable {
	return c.refuse("WindowWithTime", "it leaks goroutines; use operators.WindowTime")
}

func (c *chain) WindowWithTimeOrCount(rxgo.Duration, int, ...rxgo.Option) rxgo.Observable {
	return c.refuse("WindowWithTimeOrCount", "it leaks goroutines; use operators.WindowTimeWith")
}

// Sample takes an error of the source for a value, and drops it when the source ends. So
// the error goes around it.
func (c *chain) Sample(iterable rxgo.Iterable, o ...rxgo.Option) rxgo.Observable {
	return c.then("Sample", o, func(rx rxgo.Observable, o ...rxgo.Option) rxgo.Observable {
		var failure atomic.Pointer[rxgo.Item]
		values := rxgo.Defer([]rxgo.Producer{func(ctx context.Context, next chan<- rxgo.Item) {
			for item := range rx.Observe(o...) {
				if item.Error() {
					failure.Store(&item)
					return
				}
				item.SendContext(ctx, next)
			}
		}})
		sampled := values.Sample(iterable, o...)
		return rxgo.Defer([]rxgo.Producer{func(ctx context.Context, next chan<- rxgo.Item) {
			for item := range sampled.Observe() {
				item.SendContext(ctx, next)
			}
			if item := failure.Load(); item != nil {
				item.SendContext(ctx, next)
			}
		}}, o...)
	})
}
