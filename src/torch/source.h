/*
 * The encoder as TorchScript: BERT (Devlin et al. 2018) with pooling and L2 norm, in operations that libtorch 1.13 and
 * 2.x share. Weights are stacked over the layers and transposed to [in][out].
 *
 * Tokens are packed: all texts of a call stand one after another in one matrix [n_tokens][hidden], so the linear
 * layers, 99 % of the work at the length of titles, run over everything at once. `groups` lists (number of texts,
 * tokens in each) for runs of texts of equal length; only attention and pooling go run by run, and nothing is padded or
 * masked.
 */
#ifndef JC_TORCH_SOURCE_H
#define JC_TORCH_SOURCE_H

static const char jc_torch_source[] = R"(
def attend(self, qkv: Tensor, n: int, t: int) -> Tensor:
    d = self.hidden // self.heads
    x = qkv.view(n, t, 3, self.heads, d).permute(2, 0, 3, 1, 4)
    q, k, v = x.unbind(0)
    weights = torch.softmax(torch.matmul(q, k.transpose(2, 3)), 3)
    return torch.matmul(weights, v).transpose(1, 2).reshape(n * t, self.hidden)

def attend_groups(self, qkv: Tensor, groups: List[int]) -> Tensor:
    if len(groups) == 2:
        return self.attend(qkv, groups[0], groups[1])
    parts: List[Tensor] = []
    row = 0
    for g in range(len(groups) // 2):
        rows = groups[2 * g] * groups[2 * g + 1]
        parts.append(self.attend(qkv.narrow(0, row, rows), groups[2 * g], groups[2 * g + 1]))
        row = row + rows
    return torch.cat(parts, 0)

def pool(self, x: Tensor, n: int, t: int) -> Tensor:
    tokens = x.view(n, t, self.hidden)
    if self.cls_pooling:
        return tokens.select(1, 0)
    return tokens.mean(1)

def norm(self, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    return torch.layer_norm(x, [self.hidden], weight, bias, self.eps)

def forward(self, ids: Tensor, positions: Tensor, groups: List[int]) -> Tensor:
    x = torch.embedding(self.words, ids) + torch.embedding(self.positions, positions)
    x = self.norm(x, self.norm_w, self.norm_b)
    for i in range(self.layers):
        context = self.attend_groups(torch.addmm(self.qkv_b[i], x, self.qkv_w[i]), groups)
        x = self.norm(torch.addmm(self.out_b[i], context, self.out_w[i]) + x, self.norm1_w[i], self.norm1_b[i])
        wide = torch.gelu(torch.addmm(self.up_b[i], x, self.up_w[i]))
        x = self.norm(torch.addmm(self.down_b[i], wide, self.down_w[i]) + x, self.norm2_w[i], self.norm2_b[i])
    parts: List[Tensor] = []
    row = 0
    for g in range(len(groups) // 2):
        rows = groups[2 * g] * groups[2 * g + 1]
        parts.append(self.pool(x.narrow(0, row, rows), groups[2 * g], groups[2 * g + 1]))
        row = row + rows
    vectors = torch.cat(parts, 0)
    return vectors / torch.norm(vectors, 2, 1, True)
)";

#endif
