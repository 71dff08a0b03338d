#include "observe/metrics.h"

#include "base/check.h"

namespace doorward::observe {

std::string_view to_string(Scope scope) {
  static constexpr std::array<std::string_view, kScopes> kNames = {"process", "listener", "route",
                                                                   "service"};
  return kNames[static_cast<std::size_t>(scope)];
}

std::string_view to_string(MetricKind kind) {
  static constexpr std::array<std::string_view, 3> kNames = {"counter", "gauge", "histogram"};
  return kNames[static_cast<std::size_t>(kind)];
}

void ServiceSeries::failed(std::uint64_t micros, AttemptBytes bytes) {
  observe(Metric::service_failure_duration, micros);
  end(kAttemptFailed, bytes);
}

template <Scope S>
SlotCells<S>::~SlotCells() {
  for (auto& chunk : chunks_) delete[] chunk.load(std::memory_order_relaxed);
}

template <Scope S>
Cell* SlotCells<S>::allocate(std::size_t chunk) {
  auto* cells = new Cell[kSlotsPerChunk * cells_of(S)];
  chunks_[chunk].store(cells, std::memory_order_release);
  return cells;
}

template class SlotCells<Scope::listener>;
template class SlotCells<Scope::route>;
template class SlotCells<Scope::service>;

const Cell* MetricsShard::find(Scope scope, Slot slot) const {
  switch (scope) {
    case Scope::process:
      return process_.data();
    case Scope::listener:
      return listeners_.find(slot);
    case Scope::route:
      return routes_.find(slot);
    case Scope::service:
      return services_.find(slot);
  }
  return nullptr;
}

Metrics::Metrics(std::size_t max_slots) : max_slots_(max_slots) {
  DOORWARD_CHECK(max_slots >= 1 && max_slots <= kMaxSlots);
  for (Names& names : names_) names.by_slot.emplace_back("(other)");
}

MetricsShard& Metrics::make_shard() {
  const std::scoped_lock lock(mutex_);
  return *shards_.emplace_back(std::make_unique<MetricsShard>());
}

Slot Metrics::slot(Scope scope, std::string_view name) {
  const std::scoped_lock lock(mutex_);
  auto& [slots, by_slot] = names_[static_cast<std::size_t>(scope)];
  if (const auto found = slots.find(name); found != slots.end()) return found->second;
  if (by_slot.size() >= max_slots_) return 0;
  const auto slot = static_cast<Slot>(by_slot.size());
  by_slot.emplace_back(name);
  slots.emplace(name, slot);
  return slot;
}

void Metrics::name_values(Metric metric, std::span<const std::string_view> names) {
  DOORWARD_CHECK(info(metric).has_late_values());
  DOORWARD_CHECK(names.size() < kLateValues);
  const std::scoped_lock lock(mutex_);
  value_names_[static_cast<std::size_t>(metric)].assign(names.begin(), names.end());
}

std::vector<const MetricsShard*> Metrics::shards() const {
  const std::scoped_lock lock(mutex_);
  std::vector<const MetricsShard*> shards;
  for (const auto& shard : shards_) shards.push_back(shard.get());
  return shards;
}

std::vector<std::string> Metrics::slot_names(Scope scope) const {
  const std::scoped_lock lock(mutex_);
  return names_[static_cast<std::size_t>(scope)].by_slot;
}

std::vector<std::string> Metrics::value_names(Metric metric) const {
  if (!info(metric).has_late_values()) {
    const auto values = info(metric).values;
    return {values.begin(), values.end()};
  }
  const std::scoped_lock lock(mutex_);
  return value_names_[static_cast<std::size_t>(metric)];
}

}  // namespace doorward::observe
