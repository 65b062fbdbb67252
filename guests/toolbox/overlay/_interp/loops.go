package interp

import (
	"context"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"
)

// countedLoop is for ((init; cond; post)): its status is that of the last command of its body, which decides nothing else.
func (r *Runner) countedLoop(ctx context.Context, loop *syntax.CStyleLoop, body []*syntax.Stmt) {
	if _, ok := r.loopExpression(loop.Init); !ok {
		return
	}
	status := exitStatus{}
	for !r.stop(ctx) {
		if n, ok := r.loopExpression(loop.Cond); !ok {
			return
		} else if n == 0 {
			break
		}
		broken := r.loopStmtsBroken(ctx, body)
		status = r.exit
		if broken || r.stop(ctx) {
			return
		}
		if _, ok := r.loopExpression(loop.Post); !ok {
			return
		}
	}
	if !r.exit.exiting {
		r.exit = status
	}
}

// loopExpression is the value of one of the three, 1 if it was left out; after an error the status says so.
func (r *Runner) loopExpression(expr syntax.ArithmExpr) (int, bool) {
	if expr == nil {
		return 1, true
	}
	r.exit = exitStatus{}
	if trace := r.tracer(); trace != nil {
		trace.string("(( " + expand.ArithmSource(r.ecfg, expr) + " ))")
		trace.newLineFlush()
	}
	n := r.arithmetic("((: ", expr)
	return n, r.exit.ok()
}
