using System.Runtime.CompilerServices;

namespace Nhi.TokenExchange;

/// <summary>Makes the kind of this package known to the configuration.</summary>
public static class PostgreSqlTokenExchangeBuilderExtensions
{
    // A library and its host may both call it. Goes with the builder.
    private static readonly ConditionalWeakTable<TokenExchangeBuilder, object> Told = [];

    /// <summary>Lets settings name the exchanger <c>PostgresRole</c> (Host, Port, Database, Username, RootCertificate, ActAs, ConnectionLimit, RolePrefix, SubjectAudience).</summary>
    /// <param name="builder">The builder. A second call changes nothing.</param>
    /// <exception cref="ArgumentException">A kind of such a name is known already, of somebody else.</exception>
    public static TokenExchangeBuilder PostgreSql(this TokenExchangeBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        if (Told.TryGetValue(builder, out _))
            return builder;
        builder.ExchangerKind("PostgresRole", PostgreSqlKinds.PostgresRole);
        Told.AddOrUpdate(builder, builder.GetType());
        return builder;
    }
}
