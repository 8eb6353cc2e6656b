/* Loading and running a TorchScript encoder. See torch.h. */
#include <ATen/Parallel.h>
#include <torch/csrc/jit/passes/inliner.h>
#include <torch/script.h>
#include <torch/version.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "torch/barrier.h"
#include "torch/torch.h"

struct jc_torch_module {
    struct jc_bert bert;
    mutable torch::jit::Module module; /* forward is not const, and changes nothing */
};

namespace
{
/* Most tokens in one forward: larger ones are no faster and their activations leave the L2 cache. A longer text goes
 * alone. */
constexpr size_t max_forward_tokens = 768;

size_t read_size(const torch::jit::Module &module, const char *name)
{
    const int64_t value = module.attr(name).toInt();
    TORCH_CHECK(value > 0 && value < (1 << 30), name, " is ", value);
    return (size_t)value;
}

struct jc_bert read_bert(const torch::jit::Module &module)
{
    TORCH_CHECK(module.hasattr("format") && module.hasattr("source_sha256"), "not an encoder of jobcode");
    const int64_t format = module.attr("format").toInt();
    TORCH_CHECK(format == JC_TORCH_FORMAT, "encoder format ", format, ", not ", JC_TORCH_FORMAT,
                ": make the file again with import-encoder");
    struct jc_bert bert = {};
    bert.hidden = read_size(module, "hidden");
    bert.layers = read_size(module, "layers");
    bert.heads = read_size(module, "heads");
    bert.intermediate = read_size(module, "intermediate");
    bert.vocab = read_size(module, "vocab");
    bert.positions = read_size(module, "n_positions");
    bert.types = read_size(module, "types");
    bert.max_tokens = read_size(module, "max_tokens");
    bert.layer_norm_eps = module.attr("eps").toDouble();
    bert.pooling = module.attr("cls_pooling").toBool() ? JC_POOLING_CLS : JC_POOLING_MEAN;
    const std::string sha256 = module.attr("source_sha256").toStringRef();
    TORCH_CHECK(sha256.size() < sizeof bert.source_sha256, "source_sha256 is too long");
    std::memcpy(bert.source_sha256, sha256.c_str(), sha256.size() + 1);
    TORCH_CHECK(bert.max_tokens <= bert.positions, "max_tokens is over the positions");
    return bert;
}

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

extern "C" jc_code jc_torch_module_load(const char *path, struct jc_torch_module **ret_module, struct jc_err *err)
{
    if (access(path, R_OK))
        return jc_fail_errno(err, errno == ENOENT || errno == ENOTDIR ? JC_E_NOT_FOUND : JC_E_IO, "open '%s'", path);
    return jc_torch_guard(JC_E_FORMAT, err, path, [&]() -> jc_code {
        init_thread();
        c10::InferenceMode inference;
        auto module = std::make_unique<struct jc_torch_module>();
        torch::jit::Module loaded = torch::jit::load(path);
        module->bert = read_bert(loaded);
        loaded.eval();
        torch::jit::Inline(*loaded.get_method("forward").graph()); /* freezing keeps forward alone */
        module->module = torch::jit::freeze(loaded);

        /* The first forward compiles; it must not be a client's. */
        const int32_t ids[2] = {0, 0};
        const uint32_t n_tokens = 2;
        std::vector<float> vector(module->bert.hidden);
        jc_code code = jc_torch_module_encode(module.get(), ids, &n_tokens, 1, vector.data(), err);
        if (code)
            return jc_wrap(err, "%s", path);
        *ret_module = module.release();
        return JC_OK;
    });
}

extern "C" void jc_torch_module_destroy(struct jc_torch_module *module)
{
    delete module;
}

extern "C" const struct jc_bert *jc_torch_module_bert(const struct jc_torch_module *module)
{
    return &module->bert;
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
