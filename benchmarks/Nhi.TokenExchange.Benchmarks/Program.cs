using BenchmarkDotNet.Running;
using Nhi.TokenExchange;

BenchmarkSwitcher.FromAssembly(typeof(BenchmarkConfigs).Assembly).Run(args, BenchmarkConfigs.Careful);
return 0;
