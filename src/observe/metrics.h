// Counting without sharing: each core (and each other thread that counts) owns a MetricsShard and
// writes it with plain loads and stores; whoever renders reads them at any time and adds them up.
// Metrics owns the shards and the names, and lives as long as the process: counters and slots
// outlive a reload. Memory that another thread may be reading never moves: slots lie in chunks
// that the shard's own thread allocates when it first counts there.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "observe/metric_table.h"

namespace doorward::observe {

// One number, written by one thread and read by any. Gauges wrap: sums over shards are right.
class Cell {
 public:
  void add(std::uint64_t n) { set(get() + n); }
  void set(std::uint64_t n) { value_.store(n, std::memory_order_relaxed); }
  std::uint64_t get() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

// A metric of scope S and kind K, checked when compiled: Metric::requests turns into one where it
// fits, and is an error where it does not.
template <Scope S, MetricKind K>
class MetricOf {
 public:
  consteval MetricOf(Metric metric)  // NOLINT: implicit on purpose
      : offset_(kMetricOffsets[static_cast<std::size_t>(metric)]),
        cells_(static_cast<std::uint16_t>(info(metric).cells())) {
    if (info(metric).scope != S) throw "this metric belongs to another scope";
    if (info(metric).kind != K) throw "this metric is of another kind";
  }
  constexpr std::size_t offset() const { return offset_; }
  constexpr std::size_t cells() const { return cells_; }

 private:
  std::uint16_t offset_;
  std::uint16_t cells_;
};

template <Scope S>
using CounterOf = MetricOf<S, MetricKind::counter>;
template <Scope S>
using GaugeOf = MetricOf<S, MetricKind::gauge>;
template <Scope S>
using HistogramOf = MetricOf<S, MetricKind::histogram>;

// The bucket of a value in microseconds.
constexpr std::size_t bucket_of(std::uint64_t micros);

// The cells of one slot. A pointer: copy it freely; only the shard's thread may write.
template <Scope S>
class Series {
 public:
  explicit Series(Cell* cells) : cells_(cells) {}

  void add(CounterOf<S> counter, std::uint64_t n = 1) { cells_[counter.offset()].add(n); }
  // One value of the metric's label: its place in the label's list.
  void add_value(CounterOf<S> counter, unsigned value, std::uint64_t n = 1) {
    const std::size_t last = counter.cells() - 1;
    cells_[counter.offset() + (value < last ? value : last)].add(n);
  }
  // For totals that something else counts on this thread (a loop's own counters).
  void set_total(CounterOf<S> counter, std::uint64_t n) { cells_[counter.offset()].set(n); }

  void raise(GaugeOf<S> gauge, std::uint64_t n = 1) { cells_[gauge.offset()].add(n); }
  void lower(GaugeOf<S> gauge, std::uint64_t n = 1) { cells_[gauge.offset()].add(-n); }
  void set(GaugeOf<S> gauge, std::uint64_t n) { cells_[gauge.offset()].set(n); }

  void observe(HistogramOf<S> histogram, std::uint64_t micros) {
    Cell* cells = cells_ + histogram.offset();
    cells[bucket_of(micros)].add(1);
    cells[kBuckets].add(micros);
  }

 private:
  Cell* cells_;
};

using ListenerSeries = Series<Scope::listener>;

class RouteSeries : public Series<Scope::route> {
 public:
  using Series::Series;
  void begin() { raise(Metric::route_in_flight); }
  // The request that began has finished. `status` 0: the client left before one was sent.
  void record(unsigned status, std::uint64_t micros, std::uint64_t bytes_in,
              std::uint64_t bytes_out) {
    lower(Metric::route_in_flight);
    add_value(Metric::route_requests, status_class(status));
    observe(Metric::route_duration, micros);
    add(Metric::route_bytes_received, bytes_in);
    add(Metric::route_bytes_sent, bytes_out);
  }
};

// What an attempt has sent to its backend and received from it.
struct AttemptBytes {
  std::uint64_t sent = 0;
  std::uint64_t received = 0;
};

// An attempt that begins ends in one of three ways.
class ServiceSeries : public Series<Scope::service> {
 public:
  using Series::Series;
  void begin() { raise(Metric::service_in_flight); }
  // With a response, whose head came after `micros`.
  void answered(unsigned status, std::uint64_t micros, AttemptBytes bytes) {
    observe(Metric::service_duration, micros);
    end(status_class(status), bytes);
  }
  // With none, by the backend's fault.
  void failed(std::uint64_t micros, AttemptBytes bytes);
  // … or not by its fault.
  void abandoned(AttemptBytes bytes) { end(kAttemptAbandoned, bytes); }

 private:
  void end(unsigned how, AttemptBytes bytes) {
    lower(Metric::service_in_flight);
    add_value(Metric::service_requests, how);
    add(Metric::service_bytes_sent, bytes.sent);
    add(Metric::service_bytes_received, bytes.received);
  }
};

using Slot = std::uint32_t;
inline constexpr std::size_t kSlotsPerChunk = 64;
inline constexpr std::size_t kMaxChunks = 1024;
inline constexpr std::size_t kMaxSlots = kSlotsPerChunk * kMaxChunks;

// The cells of one scope in one shard.
template <Scope S>
class SlotCells {
 public:
  SlotCells() = default;
  SlotCells(const SlotCells&) = delete;
  SlotCells& operator=(const SlotCells&) = delete;
  ~SlotCells();

  // The owner's thread only; `slot` came from MetricsNames.
  Cell* at(Slot slot) {
    Cell* chunk = chunks_[slot / kSlotsPerChunk].load(std::memory_order_relaxed);
    if (chunk == nullptr) [[unlikely]]
      chunk = allocate(slot / kSlotsPerChunk);
    return chunk + slot % kSlotsPerChunk * cells_of(S);
  }
  // Any thread; null where nothing was counted yet.
  const Cell* find(Slot slot) const {
    const Cell* chunk = chunks_[slot / kSlotsPerChunk].load(std::memory_order_acquire);
    return chunk == nullptr ? nullptr : chunk + slot % kSlotsPerChunk * cells_of(S);
  }

 private:
  Cell* allocate(std::size_t chunk);
  std::array<std::atomic<Cell*>, kMaxChunks> chunks_{};
};

// What one thread counts. Made by Metrics::make_shard(), which owns it.
class MetricsShard {
 public:
  void add(CounterOf<Scope::process> counter, std::uint64_t n = 1) { process().add(counter, n); }
  void add_value(CounterOf<Scope::process> counter, unsigned value, std::uint64_t n = 1) {
    process().add_value(counter, value, n);
  }
  void set(GaugeOf<Scope::process> gauge, std::uint64_t n) { process().set(gauge, n); }
  void set_total(CounterOf<Scope::process> counter, std::uint64_t n) {
    process().set_total(counter, n);
  }

  Series<Scope::process> process() { return Series<Scope::process>(process_.data()); }
  ListenerSeries listener(Slot slot) { return ListenerSeries(listeners_.at(slot)); }
  RouteSeries route(Slot slot) { return RouteSeries(routes_.at(slot)); }
  ServiceSeries service(Slot slot) { return ServiceSeries(services_.at(slot)); }

  // For whoever renders: the first cell of the slot, or null.
  const Cell* find(Scope scope, Slot slot) const;

 private:
  alignas(64) std::array<Cell, cells_of(Scope::process)> process_;
  SlotCells<Scope::listener> listeners_;
  SlotCells<Scope::route> routes_;
  SlotCells<Scope::service> services_;
};

// All shards and the names of their slots. Every function may be called by any thread: all are
// cold and take a lock that no request takes.
class Metrics {
 public:
  // `max_slots` bounds the names of one scope, at most kMaxSlots.
  explicit Metrics(std::size_t max_slots = kMaxSlots);

  // A shard for the calling thread's use; lives as long as Metrics.
  MetricsShard& make_shard();

  // The slot of a listener, route or service: the same for the same name until the process ends,
  // also when the name was gone for a while. Names over the bound share slot 0, "(other)".
  Slot slot(Scope scope, std::string_view name);

  // Names the values of a late label (Metric::replies, parser_refusals, build_info), in the order
  // of the numbers given to add_value(). At most kLateValues - 1.
  void name_values(Metric metric, std::span<const std::string_view> names);

  // For rendering: a copy of the shards' addresses, slot names and value names of now.
  std::vector<const MetricsShard*> shards() const;
  std::vector<std::string> slot_names(Scope scope) const;  // by slot; [0] is "(other)"
  std::vector<std::string> value_names(Metric metric) const;

 private:
  struct Names {
    std::map<std::string, Slot, std::less<>> slots;
    std::vector<std::string> by_slot;
  };
  const std::size_t max_slots_;
  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<MetricsShard>> shards_;
  std::array<Names, kScopes> names_;
  std::array<std::vector<std::string>, kMetricCount> value_names_;
};

namespace detail {
// For each bit width of a value, the lowest bucket that such a value can be in.
consteval std::array<std::uint8_t, 65> first_buckets() {
  std::array<std::uint8_t, 65> first{};
  for (unsigned width = 0; width <= 64; ++width) {
    const std::uint64_t least = width == 0 ? 0 : std::uint64_t{1} << (width - 1);
    std::uint8_t bucket = 0;
    while (bucket < kBucketBounds.size() && kBucketBounds[bucket] < least) ++bucket;
    first[width] = bucket;
  }
  return first;
}
inline constexpr auto kFirstBucket = first_buckets();
}  // namespace detail

constexpr std::size_t bucket_of(std::uint64_t micros) {
  const std::size_t first = detail::kFirstBucket[static_cast<unsigned>(std::bit_width(micros))];
  return first < kBucketBounds.size() && micros > kBucketBounds[first] ? first + 1 : first;
}

}  // namespace doorward::observe
