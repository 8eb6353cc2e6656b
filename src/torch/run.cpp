/* Making and running the TorchScript encoder. See torch.h. */
#include <ATen/Parallel.h>
#include <torch/script.h>
#include <torch/version.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "torch/barrier.h"
#include "torch/build.h"

struct jc_torch_module {
    struct jc_bert bert;
    mutable torch::jit::Module module; /* forward is not const, and changes nothing */
};

namespace
{
/* Most tokens in one forward: larger ones are no faster and their activations leave the L2 cache. A longer text goes
 * alone. */
constexpr size_t max_forward_tokens = 768;

/* What the texts of a call are, in the order they are run: by length. */
struct Batch {
    const int32_t *ids;
    const uint32_t *n_tokens;
    std::vector<size_t> starts; /* [n_texts]: a text's first id */
    std::vector<size_t> order;  /* [n_texts] */
};

jc_code check_texts(const struct jc_bert &bert, Batch &batch, size_t n_texts, struct jc_err *err)
{
    size_t start = 0;
    for (size_t i = 0; i < n_texts; i++) {
        if (batch.n_tokens[i] < 1 || batch.n_tokens[i] > bert.max_tokens)
            return jc_fail(err, JC_E_INVALID, "text %zu has %u tokens, not 1 to %zu", i, (unsigned)batch.n_tokens[i],
                           bert.max_tokens);
        batch.starts.push_back(start);
        start += batch.n_tokens[i];
    }
    for (size_t i = 0; i < start; i++)
        if (batch.ids[i] < 0 || (size_t)batch.ids[i] >= bert.vocab)
            return jc_fail(err, JC_E_INVALID, "token id %d is outside of the vocabulary of %zu", (int)batch.ids[i],
                           bert.vocab);
    return JC_OK;
}

/* One forward over order[first..end); rows of the result go to their texts' places. */
jc_code run_forward(const struct jc_torch_module &module, const Batch &batch, size_t first, size_t end,
                    float *ret_vectors, struct jc_err *err)
{
    std::vector<int64_t> ids, positions;
    c10::List<int64_t> groups;
    for (size_t i = first; i < end; i++) {
        const size_t text = batch.order[i], n = batch.n_tokens[text];
        ids.insert(ids.end(), batch.ids + batch.starts[text], batch.ids + batch.starts[text] + n);
        for (size_t t = 0; t < n; t++)
            positions.push_back((int64_t)t);
        if (i > first && batch.n_tokens[batch.order[i - 1]] == n) {
            groups.set(groups.size() - 2, groups.get(groups.size() - 2) + 1);
        } else {
            groups.push_back(1);
            groups.push_back((int64_t)n);
        }
    }
    const auto n_ids = (int64_t)ids.size();
    const at::Tensor vectors = module.module
                                   .forward({at::from_blob(ids.data(), {n_ids}, at::kLong),
                                             at::from_blob(positions.data(), {n_ids}, at::kLong), groups})
                                   .toTensor()
                                   .contiguous();
    const size_t dim = module.bert.hidden;
    TORCH_CHECK(vectors.dim() == 2 && (size_t)vectors.size(0) == end - first && (size_t)vectors.size(1) == dim,
                "the encoder gave vectors of another shape");
    const float *rows = vectors.data_ptr<float>();
    for (size_t i = 0; i < (end - first) * dim; i++)
        if (!std::isfinite(rows[i]))
            return jc_fail(err, JC_E_MODEL, "the encoder gave a vector that is not finite");
    for (size_t i = first; i < end; i++)
        std::memcpy(ret_vectors + batch.order[i] * dim, rows + (i - first) * dim, dim * sizeof *rows);
    return JC_OK;
}

jc_code encode(const struct jc_torch_module &module, Batch &batch, size_t n_texts, float *ret_vectors,
               struct jc_err *err)
{
    jc_code code = check_texts(module.bert, batch, n_texts, err);
    if (code)
        return code;
    batch.order.resize(n_texts);
    std::iota(batch.order.begin(), batch.order.end(), 0);
    std::stable_sort(batch.order.begin(), batch.order.end(),
                     [&](size_t a, size_t b) { return batch.n_tokens[a] < batch.n_tokens[b]; });
    for (size_t first = 0, end; first < n_texts; first = end) {
        size_t n_tokens = 0;
        for (end = first; end < n_texts; end++) {
            n_tokens += batch.n_tokens[batch.order[end]];
            if (end > first && n_tokens > max_forward_tokens)
                break;
        }
        code = run_forward(module, batch, first, end, ret_vectors, err);
        if (code)
            return code;
    }
    return JC_OK;
}

/*
 * Both settings are libtorch's per thread. Without the first, a worker's first operation would start a team of its own;
 * without the second, each worker would specialise the graph on the shapes of its first forwards, which come in every
 * mix of lengths: seconds in front of a client.
 */
void init_thread()
{
    static thread_local bool done = false;
    if (done)
        return;
    at::set_num_threads(1);
    torch::jit::setGraphExecutorOptimize(false);
    done = true;
}
} // namespace

extern "C" void jc_torch_init(void)
{
    init_thread();
}

extern "C" const char *jc_torch_version(void)
{
    return TORCH_VERSION;
}

extern "C" jc_code jc_torch_module_create(const struct jc_bert *bert, const struct jc_tensor *tensors, size_t n_tensors,
                                          struct jc_torch_module **ret_module, struct jc_err *err)
{
    return jc_torch_guard(JC_E_INTERNAL, err, "make the encoder", [&]() -> jc_code {
        init_thread();
        c10::InferenceMode inference;
        auto module = std::make_unique<struct jc_torch_module>();
        module->bert = *bert;
        jc_code code = jc_torch_build(*bert, tensors, n_tensors, module->module, err);
        if (code)
            return code;

        /* The first forward compiles; it must not be a client's. */
        const int32_t ids[2] = {0, 0};
        const uint32_t n_tokens = 2;
        std::vector<float> vector(bert->hidden);
        if ((code = jc_torch_module_encode(module.get(), ids, &n_tokens, 1, vector.data(), err)))
            return code;
        *ret_module = module.release();
        return JC_OK;
    });
}

extern "C" void jc_torch_module_destroy(struct jc_torch_module *module)
{
    delete module;
}

extern "C" jc_code jc_torch_module_encode(const struct jc_torch_module *module, const int32_t *ids,
                                          const uint32_t *n_tokens, size_t n_texts, float *ret_vectors,
                                          struct jc_err *err)
{
    return jc_torch_guard(JC_E_INTERNAL, err, "encode", [&] {
        init_thread();
        c10::InferenceMode inference;
        Batch batch = {ids, n_tokens, {}, {}};
        return encode(*module, batch, n_texts, ret_vectors, err);
    });
}
