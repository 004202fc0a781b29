using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Nhi.TokenExchange;
using Worker;

// A worker in a Generic Host. Which credentials it has, from whom and how, stands in appsettings.json alone; the code names targets.
//   dotnet run --project samples/Worker        with appsettings.json edited, or overridden: TokenExchange__Targets__databricks__Host=https://…
//   dotnet publish samples/Worker -o FOLDER    native code, that needs no .NET on the machine
HostApplicationBuilder builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { Args = args, ContentRootPath = AppContext.BaseDirectory });

#region compose
builder.Services.AddTokenExchange(builder.Configuration.GetSection("TokenExchange"));
builder.Services.AddHttpClient<Warehouse>(http => http.BaseAddress = builder.Configuration.AddressOf("Warehouse")).AddCredential("warehouse");
builder.Services.AddHttpClient<Workspace>(http => http.BaseAddress = builder.Configuration.AddressOf("Workspace")).AddCredential("databricks");
builder.Services.AddHealthChecks().AddTokenExchange();
builder.Services.AddHostedService<NightlyLoad>();
#endregion

try
{
    using IHost host = builder.Build();
    await host.RunAsync();
    return Environment.ExitCode;
}
catch (TokenExchangeException wrong)
{
    await Console.Error.WriteLineAsync(wrong.Message);   // every wrong setting, or the proof or exchange that failed: with what to do
    return wrong.Stage == ExchangeStage.Configure ? 2 : 1;
}
