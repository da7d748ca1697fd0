import {
  Link,
  Sidebar,
  SidebarDivider,
  SidebarGroup,
  SidebarItem,
  SidebarScrollWrapper,
  SidebarSpace,
} from '@backstage/core-components';
import { createFrontendModule } from '@backstage/frontend-plugin-api';
import { NavContentBlueprint } from '@backstage/plugin-app-react';
import { NotificationsSidebarItem } from '@backstage/plugin-notifications';
import { SidebarSearchModal } from '@backstage/plugin-search';
import { UserSettingsSignInAvatar } from '@backstage/plugin-user-settings';
import MenuIcon from '@material-ui/icons/Menu';
import SearchIcon from '@material-ui/icons/Search';

// These have an entry of their own below.
const placed = ['page:search', 'page:notifications'];

const Mark = () => (
  <svg viewBox="0 0 32 32" width={32} height={32} style={{ margin: 20 }} aria-hidden>
    <path d="M8 25V7h16v18M8 16h16M16 7v18" fill="none" stroke="#9be8b4" strokeWidth={2.5} />
  </svg>
);

const sidebar = NavContentBlueprint.make({
  params: {
    component: ({ navItems }) => {
      const entries = navItems.withComponent(({ icon, href, title }) => <SidebarItem icon={() => icon} to={href} text={title} />);
      placed.forEach(id => entries.take(id));
      return (
        <Sidebar>
          <Link to="/" underline="none" aria-label="Home">
            <Mark />
          </Link>
          <SidebarGroup label="Search" icon={<SearchIcon />} to="/search">
            <SidebarSearchModal />
          </SidebarGroup>
          <SidebarDivider />
          <SidebarGroup label="Menu" icon={<MenuIcon />}>
            {entries.take('page:home')}
            {entries.take('page:catalog')}
            {entries.take('page:scaffolder')}
            <SidebarDivider />
            <SidebarScrollWrapper>{entries.rest({ sortBy: 'title' })}</SidebarScrollWrapper>
          </SidebarGroup>
          <SidebarSpace />
          <SidebarDivider />
          <NotificationsSidebarItem />
          <SidebarDivider />
          <SidebarGroup label="Settings" icon={<UserSettingsSignInAvatar />} to="/settings">
            {entries.take('page:app-visualizer')}
            {entries.take('page:user-settings')}
          </SidebarGroup>
        </Sidebar>
      );
    },
  },
});

export const navigation = createFrontendModule({ pluginId: 'app', extensions: [sidebar] });
