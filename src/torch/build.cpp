/* From checkpoint tensors to a TorchScript module. See build.h. */
#include "torch/build.h"

#include <torch/csrc/jit/passes/inliner.h>

#include <cmath>
#include <cstring>
#include <sstream>
#include <string>
#include <vector>

#include "torch/source.h"

namespace
{
using Shape = std::vector<int64_t>;

/* Thrown for a checkpoint that is not the encoder it says; the text names the tensor. */
struct BadCheckpoint : std::runtime_error {
    using std::runtime_error::runtime_error;
};

std::string print_shape(const Shape &shape)
{
    std::ostringstream text;
    text << "[";
    for (size_t i = 0; i < shape.size(); i++)
        text << (i ? ", " : "") << shape[i];
    text << "]";
    return text.str();
}

/* The checkpoint's tensors by name, with or without the "bert." that some exports put in front. */
class Checkpoint
{
  public:
    Checkpoint(const struct jc_tensor *tensors, size_t n_tensors) : tensors_(tensors), n_tensors_(n_tensors)
    {
    }

    /* A view of the checkpoint's memory. */
    at::Tensor get(const std::string &name, const Shape &shape) const
    {
        const struct jc_tensor *tensor = find(name);
        if (!tensor)
            tensor = find("bert." + name);
        if (!tensor)
            throw BadCheckpoint("tensor '" + name + "' is missing");
        Shape found(tensor->shape, tensor->shape + tensor->rank);
        if (found != shape)
            throw BadCheckpoint("tensor '" + name + "' is " + print_shape(found) + ", not " + print_shape(shape));
        if (tensor->dtype != JC_DTYPE_F32)
            throw BadCheckpoint("tensor '" + name + "' is not float32");
        if (tensor->n_bytes != (size_t)c10::multiply_integers(shape) * sizeof(float))
            throw BadCheckpoint("tensor '" + name + "' has " + std::to_string(tensor->n_bytes) +
                                " bytes, which is not its shape's");
        return at::from_blob(const_cast<void *>(tensor->data), shape, at::kFloat);
    }

  private:
    const struct jc_tensor *find(const std::string &name) const
    {
        for (size_t i = 0; i < n_tensors_; i++)
            if (name == tensors_[i].name)
                return &tensors_[i];
        return nullptr;
    }

    const struct jc_tensor *tensors_;
    size_t n_tensors_;
};

/* The weights of one kind of linear layer, over all layers. */
struct Linear {
    std::vector<at::Tensor> weights, biases; /* a layer: [in][out], [out] */

    void add(at::Tensor weight, at::Tensor bias)
    {
        weights.push_back(weight.t());
        biases.push_back(bias);
    }

    void register_in(torch::jit::Module &module, const std::string &name) const
    {
        module.register_buffer(name + "_w", at::stack(weights).contiguous());
        module.register_buffer(name + "_b", at::stack(biases).contiguous());
    }
};

struct Norm {
    std::vector<at::Tensor> weights, biases;

    void add(const Checkpoint &checkpoint, const std::string &name, int64_t hidden)
    {
        weights.push_back(checkpoint.get(name + ".weight", {hidden}));
        biases.push_back(checkpoint.get(name + ".bias", {hidden}));
    }

    void register_in(torch::jit::Module &module, const std::string &name) const
    {
        module.register_buffer(name + "_w", at::stack(weights));
        module.register_buffer(name + "_b", at::stack(biases));
    }
};

void add_embeddings(torch::jit::Module &module, const Checkpoint &checkpoint, const struct jc_bert &bert)
{
    const int64_t hidden = (int64_t)bert.hidden;
    at::Tensor types = checkpoint.get("embeddings.token_type_embeddings.weight", {(int64_t)bert.types, hidden});
    at::Tensor positions = checkpoint.get("embeddings.position_embeddings.weight", {(int64_t)bert.positions, hidden});
    module.register_buffer("words",
                           checkpoint.get("embeddings.word_embeddings.weight", {(int64_t)bert.vocab, hidden}).clone());
    /* Every token is of type 0: its vector is part of the position's. */
    module.register_buffer("positions", positions + types[0]);
    module.register_buffer("norm_w", checkpoint.get("embeddings.LayerNorm.weight", {hidden}).clone());
    module.register_buffer("norm_b", checkpoint.get("embeddings.LayerNorm.bias", {hidden}).clone());
}

/* Query, key and value as one product. The 1 / sqrt(head size) of the attention scores is folded into the query. */
void add_attention(Linear &qkv, const Checkpoint &checkpoint, const std::string &prefix, const struct jc_bert &bert)
{
    const int64_t hidden = (int64_t)bert.hidden;
    const double scale = 1.0 / std::sqrt((double)(bert.hidden / bert.heads));
    std::vector<at::Tensor> weights, biases;
    for (const char *part : {"query", "key", "value"}) {
        const double factor = std::strcmp(part, "query") == 0 ? scale : 1.0;
        const std::string name = prefix + "attention.self." + part;
        weights.push_back(checkpoint.get(name + ".weight", {hidden, hidden}) * factor);
        biases.push_back(checkpoint.get(name + ".bias", {hidden}) * factor);
    }
    qkv.add(at::cat(weights), at::cat(biases));
}

void add_layers(torch::jit::Module &module, const Checkpoint &checkpoint, const struct jc_bert &bert)
{
    const int64_t hidden = (int64_t)bert.hidden, wide = (int64_t)bert.intermediate;
    Linear qkv, out, up, down;
    Norm norm1, norm2;
    for (size_t i = 0; i < bert.layers; i++) {
        const std::string prefix = "encoder.layer." + std::to_string(i) + ".";
        auto linear = [&](const char *name, int64_t to, int64_t from) {
            return std::make_pair(checkpoint.get(prefix + name + ".weight", {to, from}),
                                  checkpoint.get(prefix + name + ".bias", {to}));
        };
        add_attention(qkv, checkpoint, prefix, bert);
        auto pair = linear("attention.output.dense", hidden, hidden);
        out.add(pair.first, pair.second);
        pair = linear("intermediate.dense", wide, hidden);
        up.add(pair.first, pair.second);
        pair = linear("output.dense", hidden, wide);
        down.add(pair.first, pair.second);
        norm1.add(checkpoint, prefix + "attention.output.LayerNorm", hidden);
        norm2.add(checkpoint, prefix + "output.LayerNorm", hidden);
    }
    qkv.register_in(module, "qkv");
    out.register_in(module, "out");
    up.register_in(module, "up");
    down.register_in(module, "down");
    norm1.register_in(module, "norm1");
    norm2.register_in(module, "norm2");
}

/* What the source reads of the configuration. */
void add_attributes(torch::jit::Module &module, const struct jc_bert &bert)
{
    auto integer = [&](const char *name, size_t value) {
        module.register_attribute(name, c10::IntType::get(), (int64_t)value);
    };
    integer("hidden", bert.hidden);
    integer("layers", bert.layers);
    integer("heads", bert.heads);
    module.register_attribute("cls_pooling", c10::BoolType::get(), bert.pooling == JC_POOLING_CLS);
    module.register_attribute("eps", c10::FloatType::get(), bert.layer_norm_eps);
}

} // namespace

jc_code jc_torch_build(const struct jc_bert &bert, const struct jc_tensor *tensors, size_t n_tensors,
                       torch::jit::Module &ret_module, struct jc_err *err)
{
    jc_code code = jc_bert_check(&bert, err);
    if (code)
        return code;
    const Checkpoint checkpoint(tensors, n_tensors);
    torch::jit::Module module("JobcodeEncoder");
    try {
        add_embeddings(module, checkpoint, bert);
        add_layers(module, checkpoint, bert);
    } catch (const BadCheckpoint &error) {
        return jc_fail(err, JC_E_FORMAT, "%s", error.what());
    }
    add_attributes(module, bert);
    module.define(jc_torch_source);
    module.eval();
    torch::jit::Inline(*module.get_method("forward").graph()); /* freezing keeps forward alone */
    ret_module = torch::jit::freeze(module);
    return JC_OK;
}
